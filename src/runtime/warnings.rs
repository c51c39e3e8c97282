//! What is doubtful about the files that say what shall run: told once, and again only where an edit makes it new.

use std::collections::HashSet;

use crate::model::{Level, Notice, NoticeKind};

/// So many are told one by one.
const SHOWN: usize = 5;

/// The doubts of the last good reading.
#[derive(Debug, Default)]
pub struct Warnings(HashSet<String>);

impl Warnings {
    /// What was told at the start.
    pub fn new(notices: &[Notice]) -> Self {
        Self(notices.iter().filter(|notice| notice.level > Level::Info).map(sentence).collect())
    }

    /// What is to be told of another reading.
    pub fn news(&mut self, notices: Vec<Notice>) -> Vec<Notice> {
        let before = std::mem::replace(self, Self::new(&notices)).0;
        let mut new = notices;
        new.retain(|notice| notice.level > Level::Info && !before.contains(&sentence(notice)));
        let more = new.len().saturating_sub(SHOWN);
        // One line saves none.
        if more > 1 {
            new.truncate(SHOWN);
            new.push(Notice::new(Level::Warning, NoticeKind::Config, format!("and {more} more: pmdev check")));
        }
        new
    }
}

/// What a warning says, without its place: lines move when others are edited.
fn sentence(notice: &Notice) -> String {
    let Some((place, sentence)) = notice.text.split_once(": ") else { return notice.text.clone() };
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let mut parts = place.rsplitn(3, ':');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(column), Some(line), Some(file)) if number(column) && number(line) => format!("{file}: {sentence}"),
        _ => notice.text.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warning(text: impl Into<String>) -> Notice {
        Notice::new(Level::Warning, NoticeKind::Config, text)
    }

    fn texts(warnings: &mut Warnings, notices: &[Notice]) -> Vec<String> {
        warnings.news(notices.to_vec()).into_iter().map(|notice| notice.text).collect()
    }

    #[test]
    fn only_what_is_new_is_told_and_a_place_is_nothing_new() {
        let (one, two) = (warning("a.toml:1:2: x is no key"), warning("a.toml:3:1: y is no key"));
        let info = Notice::new(Level::Info, NoticeKind::Detected, "app runs x");
        let mut warnings = Warnings::new(&[one.clone(), info.clone()]);
        assert_eq!(texts(&mut warnings, &[warning("a.toml:9:7: x is no key"), two.clone(), info]), [two.text.as_str()]);
        assert_eq!(texts(&mut warnings, &[one.clone(), two.clone()]), [""; 0]);
        // What was right in between is new again.
        assert_eq!(texts(&mut warnings, &[two]), [""; 0]);
        assert_eq!(texts(&mut warnings, std::slice::from_ref(&one)), [one.text.as_str()]);
        // Another file, and a text without a place.
        assert_eq!(texts(&mut warnings, &[one, warning("b.toml:1:2: x is no key"), warning("z: q")]), ["b.toml:1:2: x is no key", "z: q"]);
    }

    #[test]
    fn many_are_told_in_short() {
        let many = |count: usize| (0..count).map(|nth| warning(format!("a: {nth}"))).collect::<Vec<_>>();
        assert_eq!(texts(&mut Warnings::default(), &many(6)).len(), 6);
        let told = texts(&mut Warnings::default(), &many(12));
        assert_eq!((told.len(), told.last().map(String::as_str)), (6, Some("and 7 more: pmdev check")));
    }
}

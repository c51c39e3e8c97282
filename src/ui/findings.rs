//! What `pmdev doctor` found: a line for each check, below it what to do, and the command that does it.

use owo_colors::Style as Paint;
use serde_json::{Value as Json, json};
use unicode_width::UnicodeWidthStr as _;

use super::{Style, clean::clean};

/// How far what follows a grade is indented.
const INDENT: usize = 9;
/// How far commands are indented beyond that.
const COMMAND: usize = 4;
/// Narrower than this nothing is broken into lines: that would help nobody.
const NARROWEST: usize = 40;

/// How good or bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// As it should be.
    Ok,
    /// It works, but not as well or as safely as it could.
    Warning,
    /// It does not work, or must not stay so.
    Problem,
}

impl Grade {
    /// Its name, also in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The check: a stable word for programs.
    pub check: &'static str,
    /// How good or bad it is.
    pub grade: Grade,
    /// A whole sentence without a final full stop; lines after its first are shown as they are.
    pub text: String,
    /// What to do about it.
    pub advice: Option<String>,
    /// The commands that do it, as they would be typed.
    pub commands: Vec<String>,
}

impl Finding {
    /// With nothing to do about it.
    pub fn new(check: &'static str, grade: Grade, text: impl Into<String>) -> Self {
        Self { check, grade, text: text.into(), advice: None, commands: Vec::new() }
    }

    /// All is well.
    pub fn ok(check: &'static str, text: impl Into<String>) -> Self {
        Self::new(check, Grade::Ok, text)
    }

    /// It could be better.
    pub fn warning(check: &'static str, text: impl Into<String>) -> Self {
        Self::new(check, Grade::Warning, text)
    }

    /// It is bad.
    pub fn problem(check: &'static str, text: impl Into<String>) -> Self {
        Self::new(check, Grade::Problem, text)
    }

    /// The same, with what to do.
    #[must_use]
    pub fn advice(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// The same, with a command that does it.
    #[must_use]
    pub fn command(mut self, command: impl Into<String>) -> Self {
        self.commands.push(command.into());
        self
    }
}

/// All findings for people, `width` columns wide, and how many are bad.
pub fn render(findings: &[Finding], style: Style, width: usize) -> String {
    let mut shown: String = findings.iter().map(|finding| paragraph(finding, style, width)).collect();
    shown.push_str(&format!("\n{}\n", summary(findings)));
    shown
}

/// The same as an object for programs.
pub fn object(findings: &[Finding]) -> Json {
    let one = |finding: &Finding| {
        let Finding { check, grade, text, advice, commands } = finding;
        json!({ "check": check, "grade": grade.word(), "text": text, "advice": advice, "commands": commands })
    };
    json!({
        "problems": count(findings, Grade::Problem), "warnings": count(findings, Grade::Warning),
        "checks": findings.iter().map(one).collect::<Vec<_>>(),
    })
}

/// How many findings are of this grade.
pub fn count(findings: &[Finding], grade: Grade) -> usize {
    findings.iter().filter(|finding| finding.grade == grade).count()
}

fn summary(findings: &[Finding]) -> String {
    let some = |grade: Grade| match count(findings, grade) {
        0 => None,
        1 => Some(format!("1 {}", grade.word())),
        several => Some(format!("{several} {}s", grade.word())),
    };
    let bad: Vec<String> = [Grade::Problem, Grade::Warning].into_iter().filter_map(some).collect();
    if bad.is_empty() { "All is well".to_owned() } else { bad.join(" and ") }
}

fn paragraph(finding: &Finding, style: Style, width: usize) -> String {
    let Finding { check: _, grade, text, advice, commands } = finding;
    let paint = match grade {
        Grade::Ok => Paint::new().green(),
        Grade::Warning => Paint::new().bold().yellow(),
        Grade::Problem => Paint::new().bold().red(),
    };
    let room = if width < NARROWEST { usize::MAX } else { width - INDENT };
    let mut lines = text.lines();
    let first = wrapped(&clean(lines.next().unwrap_or_default()), room);
    let mut rest: Vec<String> = first[1..].to_vec();
    rest.extend(lines.map(|line| clean(line.trim_end()).into_owned()));
    let dimmed = |line: &String| style.paint(line, Paint::new().dimmed());
    let mut advice = advice.clone().unwrap_or_default();
    if !advice.is_empty() && !commands.is_empty() {
        advice.push(':');
    }
    rest.extend(advice.lines().flat_map(|line| wrapped(&clean(line), room)).map(|line| dimmed(&line)));
    // A command is never broken, so that it can be copied.
    rest.extend(commands.iter().map(|command| format!("{:COMMAND$}{}", "", clean(command))));
    let label = style.paint(grade.word(), paint) + &" ".repeat(INDENT - grade.word().len());
    let rest: String = rest.iter().map(|line| format!("{:INDENT$}{line}\n", "")).collect();
    format!("{label}{}\n{rest}", first[0])
}

/// A text in lines of at most so many columns, broken at blanks; at least one.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is one from the beginning");
        if line.is_empty() {
            line.push_str(word);
        } else if line.width().saturating_add(1).saturating_add(word.width()) <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings() -> [Finding; 3] {
        [
            Finding::ok("memory", "memory: 3.1 of 8.0 GiB are available"),
            Finding::warning("inotify", "192,000 of the kernel's 192,536 inotify watches are taken, and this project needs 1,200 more")
                .advice("raise the limit, now and from every boot on")
                .command("sudo sysctl fs.inotify.max_user_watches=524288")
                .command("echo fs.inotify.max_user_watches=524288 | sudo tee /etc/sysctl.d/60-pmdev-inotify.conf"),
            Finding::problem("project", "pmdev.toml:1:3: a key\x1b[2J\n   1 | a b\n     |   ^").advice("mend it"),
        ]
    }

    #[test]
    fn a_terminal_gets_paragraphs_whose_commands_stay_whole() {
        insta::assert_snapshot!(render(&findings(), Style::PLAIN, 60), @r"
        ok       memory: 3.1 of 8.0 GiB are available
        warning  192,000 of the kernel's 192,536 inotify watches are
                 taken, and this project needs 1,200 more
                 raise the limit, now and from every boot on:
                     sudo sysctl fs.inotify.max_user_watches=524288
                     echo fs.inotify.max_user_watches=524288 | sudo tee /etc/sysctl.d/60-pmdev-inotify.conf
        problem  pmdev.toml:1:3: a key\u{1b}[2J
                    1 | a b
                      |   ^
                 mend it

        1 problem and 1 warning
        ");
        let wide = render(&findings(), Style::PLAIN, usize::MAX);
        assert!(wide.contains("needs 1,200 more\n"), "{wide}");
        assert!(render(&findings(), Style { colour: true }, 80).contains("\x1b["));
        assert_eq!(render(&findings()[..1], Style::PLAIN, 10), "ok       memory: 3.1 of 8.0 GiB are available\n\nAll is well\n");
    }

    #[test]
    fn programs_get_an_object() {
        let object = object(&findings()[..2]);
        assert_eq!((&object["problems"], &object["warnings"]), (&json!(0), &json!(1)));
        assert_eq!(
            object["checks"][1],
            json!({
                "check": "inotify", "grade": "warning",
                "text": "192,000 of the kernel's 192,536 inotify watches are taken, and this project needs 1,200 more",
                "advice": "raise the limit, now and from every boot on",
                "commands": [
                    "sudo sysctl fs.inotify.max_user_watches=524288",
                    "echo fs.inotify.max_user_watches=524288 | sudo tee /etc/sysctl.d/60-pmdev-inotify.conf",
                ],
            })
        );
    }
}

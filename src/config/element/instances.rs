//! How many instances: a number, `max` for one a processor, 0 for the same, -1 for one less.

use std::thread::available_parallelism;

use serde_json::{Value as Json, json};

use super::{Element, Reader, number};
use crate::config::node::{Node, Value};

/// How many instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instances {
    /// So many.
    Count(u16),
    /// One a processor and this many more, at least one.
    Processors(i64),
}

/// More instances than this are a slip of the finger.
const MOST: i64 = 1024;
/// So many less than the processors is one instance anywhere.
const LEAST: i64 = -MOST;

impl Instances {
    /// The number on this machine, at least 1.
    pub fn count(self) -> u16 {
        match self {
            Self::Count(count) => count,
            Self::Processors(more) => {
                let processors = available_parallelism().map_or(1, |count| i64::try_from(count.get()).unwrap_or(1));
                u16::try_from((processors + more).clamp(1, MOST)).unwrap_or(1)
            }
        }
    }
}

impl Element for Instances {
    const WHAT: &'static str = "a number of instances, or max";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        match (&node.value, number::whole(node)) {
            (Value::Text(text), _) if text == "max" => Some(Self::Processors(0)),
            (_, Some(more @ LEAST..=0)) => Some(Self::Processors(more)),
            (_, Some(count @ 1..=MOST)) => u16::try_from(count).ok().map(Self::Count),
            (_, Some(number)) => {
                let message = format!("{} is {number}, and more than {MOST} instances are refused", reader.path());
                reader.refuse(node, message)
            }
            (_, None) => reader.wrong(node),
        }
    }

    fn schema() -> Json {
        json!({ "anyOf": [{ "const": "max" }, number::schema(LEAST, Some(MOST))] })
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{read, refused},
        *,
    };

    #[test]
    fn numbers_and_processors() {
        assert_eq!(read("4"), Some(Instances::Count(4)));
        assert_eq!(read(r#""2""#), Some(Instances::Count(2)));
        for all in ["0", r#""max""#] {
            assert_eq!(read(all), Some(Instances::Processors(0)));
        }
        let all = Instances::Processors(0).count();
        assert_eq!(read::<Instances>("-1").unwrap().count(), (all - 1).max(1));
        assert_eq!(Instances::Processors(-900).count(), 1);
        insta::assert_snapshot!(refused::<Instances>(r#""many""#), @r#"key is "many", but it takes a number of instances, or max"#);
        insta::assert_snapshot!(refused::<Instances>("4000"), @"key is 4000, and more than 1024 instances are refused");
    }
}

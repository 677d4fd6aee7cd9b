//! Calling conventions: what a function takes and gives, as text.
//!
//! `0`, then a letter for each argument, `_`, a letter for each result. An
//! empty list is `v` or nothing. `C…D` around arguments is a group that a call
//! repeats any number of times; groups do not nest.

use std::fmt;

use crate::{Code, Error, Kind, Result};

/// A parsed calling convention. Two are equal when their texts are.
#[derive(Clone, Debug)]
pub struct Signature {
    text: Box<str>,
    args: Vec<Item>,
    results: Vec<Kind>,
}

/// An argument, or a group of arguments that a call repeats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// One argument.
    One(Kind),
    /// `C…D`: this tuple, any number of times.
    Group(Vec<Kind>),
}

impl Signature {
    /// Reads a calling convention; `INVALID_ARGUMENT` if it follows other rules.
    pub fn parse(text: &str) -> Result<Self> {
        let bad = |why: &str| {
            Error::new(
                Code::INVALID_ARGUMENT,
                format!("calling convention `{}`: {why}", text.escape_default()),
            )
        };
        let rest = text
            .strip_prefix('0')
            .ok_or_else(|| bad("it must begin with its version, 0"))?;
        let (args, results) = rest.split_once('_').unwrap_or((rest, ""));
        let kind = |letter: u8| {
            Kind::from_letter(letter).ok_or_else(|| bad("there are only the letters iIfFr"))
        };
        let list = |letters: &str| -> Result<Vec<Kind>> {
            match letters {
                "v" => Ok(Vec::new()),
                letters => letters.bytes().map(kind).collect(),
            }
        };
        let mut items = Vec::new();
        let mut rest = match args {
            "v" => "",
            args => args,
        };
        while let Some(&letter) = rest.as_bytes().first() {
            if let Some(group) = rest.strip_prefix('C') {
                let (group, behind) = group
                    .split_once('D')
                    .ok_or_else(|| bad("a group has no end"))?;
                let kinds = group.bytes().map(kind).collect::<Result<Vec<_>>>()?;
                if kinds.is_empty() {
                    return Err(bad("a group is empty"));
                }
                items.push(Item::Group(kinds));
                rest = behind;
            } else {
                items.push(Item::One(kind(letter)?));
                // Letters are ASCII, or `kind` had refused this one.
                rest = &rest[1..];
            }
        }
        Ok(Self {
            text: text.into(),
            args: items,
            results: list(results)?,
        })
    }

    /// The text it was read from.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Arguments, in order.
    pub fn args(&self) -> &[Item] {
        &self.args
    }

    /// Results, in order.
    pub fn results(&self) -> &[Kind] {
        &self.results
    }

    /// The kinds of the arguments, if there are no groups.
    pub fn plain_args(&self) -> Option<Vec<Kind>> {
        self.args
            .iter()
            .map(|item| match item {
                Item::One(kind) => Some(*kind),
                Item::Group(_) => None,
            })
            .collect()
    }
}

impl PartialEq for Signature {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Signature {}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_groups_and_results() {
        let signature = Signature::parse("0rrIiCiDCrIID_iI").unwrap();
        use Kind::{I32, I64, Ref};
        assert_eq!(
            signature.args(),
            [
                Item::One(Ref),
                Item::One(Ref),
                Item::One(I64),
                Item::One(I32),
                Item::Group(vec![I32]),
                Item::Group(vec![Ref, I64, I64]),
            ]
        );
        assert_eq!(signature.results(), [I32, I64]);
        assert_eq!(signature.plain_args(), None);
        assert_eq!(signature.to_string(), "0rrIiCiDCrIID_iI");
    }

    #[test]
    fn nothing_is_written_as_v_or_not_at_all() {
        for text in ["0v_v", "0v", "0_v", "0_", "0"] {
            let signature = Signature::parse(text).unwrap();
            assert_eq!(signature.args(), [], "{text}");
            assert_eq!(signature.results(), [], "{text}");
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "", "v_v", "1v_v", "0x", "0CiiD_C", "0Ci", "0CD_v", "0CCiDD_v", "0D", "0i_CiD", "0iv",
            "0é",
        ] {
            let error = Signature::parse(text).unwrap_err();
            assert_eq!(error.code(), Code::INVALID_ARGUMENT, "{text}");
        }
    }
}

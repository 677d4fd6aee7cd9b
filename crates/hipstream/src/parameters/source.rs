//! `[scope=]file`: where users say that parameters are.

use std::path::PathBuf;
use std::str::FromStr;

/// A file and the scope that its entries are in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The scope; empty is the one without a name, which programs mean that
    /// name none.
    pub scope: String,
    /// The file.
    pub path: PathBuf,
}

impl FromStr for Source {
    type Err = String;

    /// Reads `file` or `scope=file`. A file whose own name has a `=` is
    /// written `=file`.
    fn from_str(text: &str) -> Result<Self, String> {
        let (scope, path) = text.split_once('=').unwrap_or(("", text));
        if path.is_empty() {
            return Err(format!("`{text}` names no file; give [SCOPE=]FILE"));
        }
        Ok(Self {
            scope: scope.to_owned(),
            path: PathBuf::from(path),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_stand_before_the_first_equals_sign() {
        for (text, scope, path) in [
            ("a.irpa", "", "a.irpa"),
            ("model=a.irpa", "model", "a.irpa"),
            ("model=b=c.gguf", "model", "b=c.gguf"),
            ("=b=c.gguf", "", "b=c.gguf"),
        ] {
            let source: Source = text.parse().expect(text);
            assert_eq!((source.scope.as_str(), source.path), (scope, path.into()));
        }
        for text in ["", "model=", "="] {
            let error = text.parse::<Source>().expect_err(text);
            assert!(error.contains("names no file"), "{error}");
        }
    }
}

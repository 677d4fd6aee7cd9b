//! Scopes and their keys: what modules look parameters up in.

use std::collections::BTreeMap;
use std::fmt;

use super::{Archive, Mode, Origin, ParameterError, Source};

/// Parameters by scope and key, from any number of files.
#[derive(Debug, Default)]
pub struct Set {
    scopes: BTreeMap<String, Scope>,
}

/// The files of a scope, and which entry of which file a key is.
#[derive(Debug, Default)]
struct Scope {
    archives: Vec<Archive>,
    keys: BTreeMap<String, Place>,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    archive: usize,
    entry: usize,
}

impl Set {
    /// A set without scopes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Opens all files, in order.
    ///
    /// # Errors
    ///
    /// Those of [`Archive::open`] and [`Set::add`].
    pub fn open(sources: &[Source], mode: Mode) -> Result<Self, ParameterError> {
        let mut set = Self::new();
        for source in sources {
            set.add(&source.scope, Archive::open(&source.path, mode)?)?;
        }
        Ok(set)
    }

    /// Adds the entries of a file to a scope; an empty name is the scope of
    /// programs that name none. A file without entries still makes the scope known.
    ///
    /// # Errors
    ///
    /// [`ParameterError::Duplicate`] if the scope has one of the keys already;
    /// nothing was added then.
    pub fn add(&mut self, scope: &str, archive: Archive) -> Result<(), ParameterError> {
        let known = self.scopes.entry(scope.to_owned()).or_default();
        let mut keys = BTreeMap::new();
        for (index, entry) in archive.entries().iter().enumerate() {
            let place = Place {
                archive: known.archives.len(),
                entry: index,
            };
            let first = match known.keys.get(&entry.name) {
                Some(place) => Some(known.archives[place.archive].path()),
                None => keys
                    .insert(entry.name.clone(), place)
                    .map(|_| archive.path()),
            };
            if let Some(first) = first {
                return Err(ParameterError::Duplicate {
                    key: entry.name.clone(),
                    scope: scope.to_owned(),
                    first: first.to_owned(),
                    second: archive.path().to_owned(),
                });
            }
        }
        known.keys.append(&mut keys);
        known.archives.push(archive);
        Ok(())
    }

    /// Whether there are no scopes.
    pub fn is_empty(&self) -> bool {
        self.scopes.is_empty()
    }

    /// Where a parameter comes from, and the file that has it.
    ///
    /// # Errors
    ///
    /// [`LookupError`] if there is no such scope, or no such key in it.
    pub fn lookup(&self, scope: &str, key: &str) -> Result<(&Archive, Origin), LookupError> {
        let known = self
            .scopes
            .get(scope)
            .ok_or_else(|| LookupError::UnknownScope {
                scope: scope.to_owned(),
                known: self.scopes.keys().cloned().collect(),
            })?;
        let place = known.keys.get(key).ok_or_else(|| LookupError::UnknownKey {
            scope: scope.to_owned(),
            key: key.to_owned(),
            nearest: nearest(key, known.keys.keys()),
            count: known.keys.len(),
        })?;
        let archive = &known.archives[place.archive];
        Ok((archive, archive.origin(&archive.entries()[place.entry])))
    }
}

/// Why a parameter is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LookupError {
    /// There is no such scope.
    UnknownScope {
        /// The scope that was asked for.
        scope: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// The scope has no such key.
    UnknownKey {
        /// The scope.
        scope: String,
        /// The key that was asked for.
        key: String,
        /// Keys of the scope that look like it, best first.
        nearest: Vec<String>,
        /// How many keys the scope has.
        count: usize,
    },
}

impl fmt::Display for LookupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownScope { scope, known } => {
                write!(
                    f,
                    "no provider registered that handles scopes like '{scope}'; give --parameters="
                )?;
                if !scope.is_empty() {
                    write!(f, "{scope}=")?;
                }
                f.write_str("FILE")?;
                if !known.is_empty() {
                    let known: Vec<_> = known.iter().map(|name| format!("'{name}'")).collect();
                    write!(f, " (there are parameters for {})", known.join(", "))?;
                }
                Ok(())
            }
            Self::UnknownKey {
                scope,
                key,
                nearest,
                count,
            } => {
                write!(
                    f,
                    "there is no parameter `{key}` in {}, which has {count}",
                    ScopeName(scope)
                )?;
                if let [first, rest @ ..] = nearest.as_slice() {
                    write!(f, "; did you mean `{first}`")?;
                    rest.iter().try_for_each(|name| write!(f, ", `{name}`"))?;
                    f.write_str("?")?;
                }
                Ok(())
            }
        }
    }
}

impl std::error::Error for LookupError {}

/// A scope as messages call it.
pub(super) struct ScopeName<'a>(pub(super) &'a str);

impl fmt::Display for ScopeName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            "" => f.write_str("the scope without a name"),
            name => write!(f, "scope `{name}`"),
        }
    }
}

/// How many keys are suggested.
const MOST_SUGGESTED: usize = 3;

/// How alike a key must be to be suggested, of 1.
const LEAST_ALIKE: f64 = 0.8;

/// Keys longer than this are not compared: the cost grows with the square.
const MOST_COMPARED_BYTES: usize = 256;

fn nearest<'a>(key: &str, keys: impl Iterator<Item = &'a String>) -> Vec<String> {
    if key.len() > MOST_COMPARED_BYTES {
        return Vec::new();
    }
    let mut alike: Vec<(f64, &String)> = keys
        .filter(|other| other.len() <= MOST_COMPARED_BYTES)
        .map(|other| (strsim::jaro_winkler(key, other), other))
        .filter(|(likeness, _)| *likeness >= LEAST_ALIKE)
        .collect();
    alike.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    alike
        .into_iter()
        .take(MOST_SUGGESTED)
        .map(|(_, name)| name.clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameters::testing::{Folder, IrpaWriter};

    #[test]
    fn keys_are_found_in_their_scope_and_file() {
        let folder = Folder::new("set");
        let a = folder.file("a.irpa", &IrpaWriter::new().data("w", b"one").finish());
        let b = folder.file("b.irpa", &IrpaWriter::new().data("v", b"two!").finish());
        let sources: Vec<Source> = [
            format!("m={}", a.display()),
            format!("m={}", b.display()),
            format!("={}", b.display()),
        ]
        .iter()
        .map(|text| text.parse().expect("a source"))
        .collect();
        let set = Set::open(&sources, Mode::File).expect("sound files");
        let bytes = |scope: &str, key: &str| match set.lookup(scope, key) {
            Ok((archive, Origin::Bytes(bytes))) => (archive.path().to_owned(), bytes),
            other => panic!("{other:?}"),
        };
        assert_eq!(bytes("m", "w"), (a, "one".into()));
        assert_eq!(bytes("m", "v"), (b.clone(), "two!".into()));
        assert_eq!(bytes("", "v"), (b, "two!".into()));
        assert!(!set.is_empty() && Set::new().is_empty());
    }

    #[test]
    fn what_is_missing_is_named_with_what_there_is() {
        let folder = Folder::new("missing");
        let mut writer = IrpaWriter::new();
        for index in 0..5 {
            writer = writer.data(&format!("blk.{index}.attn.weight"), b"x");
        }
        let path = folder.file("a.irpa", &writer.finish());
        let archive = Archive::open(&path, Mode::Preload).expect("sound");
        let mut set = Set::new();
        let error = set.lookup("model", "w").unwrap_err().to_string();
        assert_eq!(
            error,
            "no provider registered that handles scopes like 'model'; give --parameters=model=FILE"
        );
        set.add("model", archive).expect("new keys");
        let error = set.lookup("", "w").unwrap_err().to_string();
        assert_eq!(
            error,
            "no provider registered that handles scopes like ''; give --parameters=FILE \
             (there are parameters for 'model')"
        );
        let error = set.lookup("model", "blk.2.attn.weigth").unwrap_err();
        assert!(
            error.to_string().starts_with(
                "there is no parameter `blk.2.attn.weigth` in scope `model`, which has 5; \
                 did you mean `blk.2.attn.weight`, "
            ),
            "{error}"
        );
        let error = set.lookup("model", "zzz").unwrap_err().to_string();
        assert!(error.ends_with("which has 5"), "{error}");
    }

    #[test]
    fn keys_that_come_twice_are_refused_with_both_files() {
        let folder = Folder::new("twice");
        let one = IrpaWriter::new().data("w", b"1").finish();
        let a = folder.file("a.irpa", &one);
        let b = folder.file("b.irpa", &one);
        let both = IrpaWriter::new().data("u", b"1").data("u", b"2").finish();
        let c = folder.file("c.irpa", &both);
        let open = |path| Archive::open(path, Mode::File).expect("sound");
        let mut set = Set::new();
        set.add("s", open(&a)).expect("first");
        set.add("t", open(&b)).expect("another scope");
        let error = set.add("s", open(&b)).unwrap_err().to_string();
        assert_eq!(
            error,
            format!(
                "parameter `w` of scope `s` is in {} and again in {}",
                a.display(),
                b.display()
            )
        );
        let error = set.add("", open(&c)).unwrap_err().to_string();
        assert_eq!(
            error,
            format!(
                "parameter `u` of the scope without a name is in {0} and again in {0}",
                c.display()
            )
        );
    }
}

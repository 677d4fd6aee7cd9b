//! Compiled device code, kept on disk from one process to the next.
//!
//! A file holds the whole key beside the code, so a file of another key, cut
//! short or damaged is as good as none. Files appear under their names complete
//! (written aside, then renamed), so any number of processes may read and write
//! at once. Nothing here can fail: without a cache, code is compiled again.

use std::ffi::OsString;
use std::fs;
use std::hash::Hasher as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::SystemTime;

/// Where compiled device code is kept between processes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CodeCache {
    /// As the environment says: `HIPSTREAM_CODE_CACHE`, which is `off` or a
    /// folder, or else `hipstream/code` in the user's cache folder
    /// (`XDG_CACHE_HOME`, `~/.cache`).
    #[default]
    Usual,
    /// Nowhere.
    Off,
    /// In this folder, which is made when it is needed.
    Folder(PathBuf),
}

impl CodeCache {
    /// Reads `off`, or a folder.
    pub fn from_text(text: &str) -> Self {
        match text {
            "off" => Self::Off,
            folder => Self::Folder(folder.into()),
        }
    }

    /// The folder, by this environment.
    fn folder(&self, variable: &dyn Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
        let set = |name| variable(name).filter(|value| !value.is_empty());
        match self {
            Self::Off => None,
            Self::Folder(folder) => Some(folder.clone()),
            Self::Usual => match set("HIPSTREAM_CODE_CACHE") {
                Some(value) if value == "off" => None,
                Some(folder) => Some(folder.into()),
                None => {
                    let absolute = |path: &PathBuf| path.is_absolute();
                    let xdg = set("XDG_CACHE_HOME").map(PathBuf::from).filter(absolute);
                    let home = || Some(Path::new(&set("HOME")?).join(".cache"));
                    Some(xdg.or_else(home)?.join("hipstream").join("code"))
                }
            },
        }
    }
}

/// What decides which machine code comes out of a compilation.
pub(crate) struct Key(Vec<u8>);

impl Key {
    /// `compiler` tells apart the compilers and chips, `source` what they are given.
    pub(crate) fn new(compiler: &str, source: &[u8]) -> Self {
        Self([compiler.as_bytes(), &[0], source].concat())
    }

    fn file_name(&self) -> String {
        format!("{:016x}.code", fnv(&self.0))
    }
}

/// What a file begins with.
const MAGIC: &[u8; 8] = b"hscode 1";
/// The magic, then lengths of key and code and the code's checksum.
const HEADER_BYTES: usize = 32;
/// Bytes that the files of a folder may have together.
const MAX_BYTES: u64 = 256 << 20;

/// A folder of compiled code.
pub(crate) struct Cache {
    folder: PathBuf,
    max_bytes: u64,
}

impl Cache {
    /// `None` where nothing is kept.
    pub(crate) fn open(place: &CodeCache) -> Option<Self> {
        Some(Self {
            folder: place.folder(&|name| std::env::var_os(name))?,
            max_bytes: MAX_BYTES,
        })
    }

    /// The code that was kept under this very key.
    pub(crate) fn find(&self, key: &Key) -> Option<Vec<u8>> {
        let file = fs::read(self.folder.join(key.file_name())).ok()?;
        let (header, rest) = file.split_at_checked(HEADER_BYTES)?;
        let word = |at: usize| {
            let bytes = header[at..at + 8].try_into().expect("8 bytes");
            u64::from_le_bytes(bytes)
        };
        let (kept, code) = rest.split_at_checked(usize::try_from(word(8)).ok()?)?;
        let intact = header.starts_with(MAGIC)
            && kept == key.0
            && code.len() as u64 == word(16)
            && fnv(code) == word(24);
        intact.then(|| code.to_vec())
    }

    /// Keeps the code, as far as that can be done.
    pub(crate) fn keep(&self, key: &Key, code: &[u8]) {
        // A full disk, a folder that may not be written: the next process compiles again.
        if self.write(key, code).is_ok() {
            drop(self.shrink());
        }
    }

    fn write(&self, key: &Key, code: &[u8]) -> io::Result<()> {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        fs::create_dir_all(&self.folder)?;
        let name = key.file_name();
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let aside = format!("{name}.{}.{number}", std::process::id());
        let aside = self.folder.join(aside);
        let written =
            write_new(&aside, key, code).and_then(|()| fs::rename(&aside, self.folder.join(name)));
        if written.is_err() {
            drop(fs::remove_file(&aside));
        }
        written
    }

    /// Removes the files that were written the longest ago, until the rest fits.
    fn shrink(&self) -> io::Result<()> {
        let mut files: Vec<(SystemTime, u64, PathBuf)> = fs::read_dir(&self.folder)?
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let data = entry.metadata().ok().filter(fs::Metadata::is_file)?;
                Some((data.modified().ok()?, data.len(), entry.path()))
            })
            .collect();
        let mut bytes: u64 = files.iter().map(|file| file.1).sum();
        files.sort_unstable();
        for (_, size, path) in files {
            if bytes <= self.max_bytes {
                break;
            }
            // Another process may have removed it.
            drop(fs::remove_file(path));
            bytes -= size;
        }
        Ok(())
    }
}

fn write_new(path: &Path, key: &Key, code: &[u8]) -> io::Result<()> {
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)?;
    file.write_all(MAGIC)?;
    for word in [key.0.len() as u64, code.len() as u64, fnv(code)] {
        file.write_all(&word.to_le_bytes())?;
    }
    file.write_all(&key.0)?;
    file.write_all(code)
}

fn fnv(bytes: &[u8]) -> u64 {
    let mut hasher = fnv::FnvHasher::default();
    hasher.write(bytes);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let name = format!("hip-cache-{name}-{}", std::process::id());
            Self(std::env::temp_dir().join(name))
        }

        fn cache(&self) -> Cache {
            Cache::open(&CodeCache::Folder(self.0.join("code"))).expect("a folder was named")
        }

        fn files(&self) -> Vec<PathBuf> {
            let entries = fs::read_dir(self.0.join("code")).expect("it was made");
            entries.map(|entry| entry.unwrap().path()).collect()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            drop(fs::remove_dir_all(&self.0));
        }
    }

    #[test]
    fn code_is_found_under_its_whole_key_only() {
        let folder = Folder::new("key");
        let cache = folder.cache();
        let key = Key::new("cuda 13000 sm_90", b"ptx");
        assert_eq!(cache.find(&key), None);
        cache.keep(&key, b"code");
        assert_eq!(cache.find(&key).as_deref(), Some(&b"code"[..]));
        assert_eq!(folder.cache().find(&key).as_deref(), Some(&b"code"[..]));
        for other in [
            Key::new("cuda 13000 sm_80", b"ptx"),
            Key::new("cuda 12080 sm_90", b"ptx"),
            Key::new("cuda 13000 sm_90", b"ptx2"),
        ] {
            assert_eq!(cache.find(&other), None);
            // Even where the names of the files are the same.
            fs::copy(
                &folder.files()[0],
                folder.0.join("code").join(other.file_name()),
            )
            .unwrap();
            assert_eq!(cache.find(&other), None);
            fs::remove_file(folder.0.join("code").join(other.file_name())).unwrap();
        }
        cache.keep(&key, b"newer");
        assert_eq!(cache.find(&key).as_deref(), Some(&b"newer"[..]));
        assert_eq!(folder.files().len(), 1);
    }

    #[test]
    fn a_damaged_file_is_as_good_as_none() {
        let folder = Folder::new("damage");
        let cache = folder.cache();
        let key = Key::new("c", b"source");
        cache.keep(&key, b"the code");
        let path = folder.files().remove(0);
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x40;
            fs::write(&path, damaged).unwrap();
            assert_eq!(cache.find(&key), None, "byte {at}");
            fs::write(&path, &whole[..at]).unwrap();
            assert_eq!(cache.find(&key), None, "cut at {at}");
        }
        fs::write(&path, [&whole[..], b"more"].concat()).unwrap();
        assert_eq!(cache.find(&key), None, "longer");
        cache.keep(&key, b"the code");
        assert_eq!(cache.find(&key).as_deref(), Some(&b"the code"[..]));
    }

    #[test]
    fn writers_and_readers_do_not_see_each_others_halves() {
        let folder = Folder::new("threads");
        let code: Vec<u8> = (0..100_000u32).map(|n| n as u8).collect();
        let key = Key::new("c", b"source");
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let cache = folder.cache();
                    for _ in 0..20 {
                        cache.keep(&key, &code);
                        assert!(cache.find(&key).is_some_and(|found| found == code));
                    }
                });
            }
        });
        assert_eq!(folder.files().len(), 1, "nothing is left aside");
    }

    #[test]
    fn the_oldest_files_go_when_there_are_too_many() {
        let folder = Folder::new("shrink");
        let mut cache = folder.cache();
        cache.max_bytes = 3000;
        let key = |number: u8| Key::new("c", &[number]);
        for number in 0..5 {
            cache.keep(&key(number), &[number; 900]);
            thread::sleep(std::time::Duration::from_millis(20));
        }
        let kept: Vec<u8> = (0..5).filter(|&n| cache.find(&key(n)).is_some()).collect();
        assert_eq!(kept, [2, 3, 4]);
    }

    #[test]
    fn a_folder_that_cannot_be_is_no_error() {
        let folder = Folder::new("file");
        fs::write(&folder.0, "a file where the folder should be").unwrap();
        let cache = folder.cache();
        let key = Key::new("c", b"source");
        cache.keep(&key, b"code");
        assert_eq!(cache.find(&key), None);
        fs::remove_file(&folder.0).unwrap();
    }

    #[test]
    fn the_environment_names_the_folder_or_none() {
        let place = |pairs: &[(&str, &str)]| {
            CodeCache::Usual.folder(&|name| {
                let found = pairs.iter().find(|(key, _)| *key == name)?;
                Some(found.1.into())
            })
        };
        let path = |text: &str| Some(PathBuf::from(text));
        assert_eq!(place(&[]), None);
        let home = ("HOME", "/home/me");
        assert_eq!(place(&[home]), path("/home/me/.cache/hipstream/code"));
        let xdg = ("XDG_CACHE_HOME", "/fast");
        assert_eq!(place(&[home, xdg]), path("/fast/hipstream/code"));
        let relative = ("XDG_CACHE_HOME", "fast");
        assert_eq!(
            place(&[home, relative]),
            path("/home/me/.cache/hipstream/code")
        );
        let own = ("HIPSTREAM_CODE_CACHE", "/mine");
        assert_eq!(place(&[home, xdg, own]), path("/mine"));
        assert_eq!(place(&[home, ("HIPSTREAM_CODE_CACHE", "off")]), None);
        assert_eq!(CodeCache::from_text("off").folder(&|_| None), None);
        assert_eq!(
            CodeCache::from_text("/here").folder(&|_| None),
            path("/here")
        );
    }
}

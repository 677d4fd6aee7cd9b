//! A vendor's library of our own making, which writes down what it is asked.

use std::ffi::{CStr, c_char};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// A freshly built library; each has its own state.
pub(crate) struct Built {
    /// The loaded library.
    pub(crate) library: libloading::Library,
    /// Its file.
    pub(crate) path: PathBuf,
    /// The folder it lies in, for it alone.
    pub(crate) folder: PathBuf,
}

static BUILT: AtomicU32 = AtomicU32::new(0);

impl Built {
    /// Compiles `source` of this folder to a library called `name`. `None`,
    /// with the reason on standard error, where there is no C compiler.
    pub(crate) fn new(source: &str, name: &str, flags: &[&str]) -> Option<Self> {
        let number = BUILT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("hip-fake-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder of our own");
        let path = folder.join(name);
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-w", "-o"])
            .arg(&path)
            .arg(format!(
                "{}/tests/fake/{source}",
                env!("CARGO_MANIFEST_DIR")
            ))
            .args(flags)
            .output();
        let compiled = match compiled {
            Ok(compiled) => compiled,
            Err(error) => {
                drop(writeln!(
                    std::io::stderr(),
                    "skipped: no C compiler: {error}"
                ));
                return None;
            }
        };
        let messages = String::from_utf8_lossy(&compiled.stderr);
        assert!(compiled.status.success(), "{messages}");
        // SAFETY: our own library, which has no initialisers.
        let library = unsafe { libloading::Library::new(&path) }.expect("just built");
        Some(Self {
            library,
            path,
            folder,
        })
    }

    /// All that it has written.
    pub(crate) fn log(&self) -> String {
        // SAFETY: the function has this type and returns text that stays.
        unsafe {
            let log = self
                .library
                .get::<unsafe extern "C" fn() -> *const c_char>(b"fake_log")
                .expect("it is there");
            CStr::from_ptr(log()).to_string_lossy().into_owned()
        }
    }

    /// What was written since `before` was.
    pub(crate) fn since(&self, before: &str) -> String {
        self.log()[before.len()..].to_owned()
    }
}

impl Drop for Built {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

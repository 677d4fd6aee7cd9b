//! Modules of compilers with a few bytes changed: refused, or run to no harm.
//!
//! ```text
//! HIPSTREAM_MODULES=FOLDER HIPSTREAM_MUTATIONS=1000000 cargo test --release -p vm -- --ignored --nocapture
//! ```

use std::path::{Path, PathBuf};
use std::sync::Arc;

use vm::{BytecodeModule, Context, Invocation, Item, Kind, Limits, Poll, Value};

use crate::stand_in::StandIn;

/// Files that are larger take long, and what is more in them is data.
const MAX_BYTES: usize = 64 << 10;

#[test]
#[ignore = "its header says how to give it a folder of modules and a number of changes"]
#[expect(clippy::print_stdout, reason = "the figures are what it is run for")]
fn changed_modules_are_refused_or_run_to_no_harm() {
    let modules = std::env::var_os("HIPSTREAM_MODULES").map(PathBuf::from);
    let modules = modules.unwrap_or_else(|| fixtures::path(""));
    let rounds = std::env::var("HIPSTREAM_MUTATIONS").ok();
    let rounds: u64 = rounds.map_or(10_000, |text| text.parse().expect("a number"));
    let mut files = Vec::new();
    find(&modules, &mut files);
    assert!(!files.is_empty(), "no modules in {}", modules.display());
    let mut random = Random(1);
    let (mut accepted, mut done) = (0_u64, 0_u64);
    for _ in 0..rounds {
        let (file, stand_ins) = &files[random.below(files.len())];
        let changed = flatbuffer(file);
        let mut file = file.clone();
        for _ in 0..=random.below(4) {
            let at = changed.start + random.below(changed.len());
            file[at] = match random.below(3) {
                0 => random.below(256) as u8,
                1 => file[at] ^ (1 << random.below(8)),
                _ => file[at].wrapping_add(1),
            };
        }
        if let Ok(module) = BytecodeModule::load(file.into()) {
            accepted += 1;
            done += run(Arc::new(module), stand_ins);
        }
    }
    println!(
        "{rounds} changes to {} modules: {accepted} accepted, {done} of their functions ran to the end",
        files.len()
    );
}

/// Links a module with stand-ins and calls every function; gives how many ended well.
fn run(module: Arc<BytecodeModule>, stand_ins: &[StandIn]) -> u64 {
    assert!(!vm::disasm::module(&module).to_string().is_empty());
    let mut context = Context::new(Limits {
        frames: 20,
        memory_bytes: 1 << 20,
    });
    for stand_in in stand_ins {
        context.register(Box::new(stand_in.clone()));
    }
    let Ok(id) = context.link(Arc::clone(&module)) else {
        return 0;
    };
    let mut done = 0;
    for (name, signature) in module.exports() {
        let args = signature.args().iter().map(|item| match item {
            Item::One(Kind::I64) => Value::I64(3),
            Item::One(kind) => kind.zero(),
            Item::Group(_) => unreachable!("only imports have groups"),
        });
        let function = context.lookup(id, name).expect("it is exported");
        let Ok(mut invocation) = Invocation::new(&context, function, args.collect()) else {
            continue;
        };
        if let Ok(Poll::Done(_)) = invocation.poll(&mut context, Some(10_000)) {
            done += 1;
        }
    }
    done
}

fn find(folder: &Path, files: &mut Vec<(Vec<u8>, Vec<StandIn>)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            find(&path, files);
        } else if path
            .extension()
            .is_some_and(|extension| extension == "vmfb")
        {
            let file = std::fs::read(&path).unwrap();
            if file.len() <= MAX_BYTES {
                let module = BytecodeModule::load(file.clone().into()).unwrap();
                files.push((file, StandIn::of(&module)));
            }
        }
    }
}

/// Where the flatbuffer of a module is: it has all but the larger data.
pub(crate) fn flatbuffer(file: &[u8]) -> std::ops::Range<usize> {
    let identifier = file.windows(4).position(|bytes| bytes == b"IREE");
    let start = identifier.expect("it is a module") - 4;
    let length: [u8; 4] = file[start - 4..start].try_into().unwrap();
    start..start + u32::from_le_bytes(length) as usize
}

/// Xorshift.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

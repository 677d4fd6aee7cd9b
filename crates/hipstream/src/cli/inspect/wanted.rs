//! Which parameters a module asks for, as far as its program says so plainly.
//!
//! A module names parameters by read-only data: a scope, a table of places in
//! a list of keys, and the list. The calls are found in the module's text,
//! where data go into registers some lines before the call that uses them.

use std::collections::{BTreeSet, HashMap};
use std::fmt;

use serde::Serialize;
use vm::{BytecodeModule, disasm};

/// What a module asks for.
#[derive(Debug, Default, Serialize)]
pub(super) struct Wanted {
    /// `scope::key`, or `key` where there is no scope.
    keys: BTreeSet<String>,
    /// Calls whose keys the program computes.
    unknown_calls: usize,
}

impl Wanted {
    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.unknown_calls == 0
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<_> = self.keys.iter().map(String::as_str).collect();
        f.write_str(&keys.join(", "))?;
        match self.unknown_calls {
            0 => Ok(()),
            calls if keys.is_empty() => write!(f, "those of {calls} calls that compute their keys"),
            calls => write!(f, ", and those of {calls} calls that compute their keys"),
        }
    }
}

/// Where a call has its scope, its table of keys and its list of keys.
const CALLS: &[(&str, [usize; 3])] = &[
    ("@io_parameters.load(", [4, 8, 9]),
    ("@io_parameters.gather(", [4, 6, 7]),
    ("@io_parameters.scatter(", [5, 6, 7]),
];

/// Looks for the calls.
pub(super) fn find(module: &BytecodeModule) -> Wanted {
    let mut wanted = Wanted::default();
    let imports = &module.module().imports;
    if !imports
        .iter()
        .any(|import| import.name.starts_with("io_parameters."))
    {
        return wanted;
    }
    // Which data segment each register holds by the lines above; `None` for null.
    let mut registers: HashMap<String, Option<usize>> = HashMap::new();
    for line in disasm::module(module).to_string().lines() {
        if line.starts_with("vm.func") {
            registers.clear();
        }
        let line = line
            .get("[00000000]".len()..)
            .unwrap_or_default()
            .trim_start();
        for moved in line.split("->").skip(1) {
            registers.remove(moved.split([',', ')']).next().unwrap_or_default());
        }
        if let Some((place, text)) = CALLS
            .iter()
            .find_map(|(name, place)| Some((place, line.split_once(name)?.1)))
        {
            let args: Vec<_> = text.trim_end_matches(')').split(", ").collect();
            let found = place.map(|index| {
                let register = args.get(index)?.to_ascii_lowercase();
                registers.get(&register).copied()
            });
            match keys(module, found) {
                Some(keys) => wanted.keys.extend(keys),
                None => wanted.unknown_calls += 1,
            }
        }
        let Some((result, operation)) = line.split_once(" = ") else {
            continue;
        };
        let rodata = operation
            .strip_prefix("vm.const.ref.rodata ")
            .and_then(|rest| rest.split(' ').next()?.parse().ok());
        match (rodata, operation.starts_with("vm.const.ref.zero")) {
            (Some(segment), _) => drop(registers.insert(result.to_owned(), Some(segment))),
            (None, true) => drop(registers.insert(result.to_owned(), None)),
            (None, false) => {
                for register in result.split(", ") {
                    registers.remove(register);
                }
            }
        }
    }
    wanted
}

/// The keys of one call, if all its data are known.
fn keys(
    module: &BytecodeModule,
    [scope, table, list]: [Option<Option<usize>>; 3],
) -> Option<Vec<String>> {
    let bytes = |segment: usize| {
        let range = module.module().rodata.get(segment)?.range.clone();
        Some(&module.file()[range])
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let scope = match scope? {
        Some(segment) => format!("{}::", text(bytes(segment)?)),
        None => String::new(),
    };
    let (table, list) = (bytes(table??)?, bytes(list??)?);
    table
        .chunks_exact(8)
        .map(|entry| {
            let word = |bytes: &[u8]| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
            let start = word(&entry[..4]) as usize;
            let end = start.checked_add(word(&entry[4..]) as usize)?;
            Some(format!("{scope}{}", text(list.get(start..end)?)))
        })
        .collect()
}

//! The functions, called as a program would, on the software GPU and on
//! providers that do nothing or fail.

mod commands;
mod faults;
mod fences;
mod fixture;
mod memory;
mod nonsense;
mod programs;
mod queues;
mod trace;

use std::collections::BTreeSet;

use fixture::Fixture;

use super::table::{EXPORTS, FUNCTIONS};

/// What programs of each version can import, name and calling convention a line.
const IMPORTS: [(&str, usize); 2] = [
    (include_str!("tests/imports_v7.txt"), 60),
    (include_str!("tests/imports_v2.txt"), 51),
];

#[test]
fn the_table_has_what_both_versions_import_and_nothing_else() {
    assert_eq!(EXPORTS.len(), FUNCTIONS.len());
    let mut wanted = BTreeSet::new();
    for (imports, count) in IMPORTS {
        let lines: Vec<_> = imports.lines().collect();
        assert_eq!(lines.len(), count);
        wanted.extend(lines);
    }
    let rows: Vec<_> = EXPORTS
        .iter()
        .map(|export| format!("{} {}", export.name, export.signature))
        .collect();
    let exported: BTreeSet<_> = rows.iter().map(String::as_str).collect();
    assert_eq!(rows.len(), exported.len(), "a row stands twice");
    assert_eq!(exported, wanted);
    assert!(EXPORTS.is_sorted_by_key(|export| export.name));
    for export in EXPORTS {
        vm::Signature::parse(export.signature).unwrap();
    }
}

macro_rules! scenarios {
    ($($module:ident::$scenario:ident,)*) => {
        $(
            #[test]
            fn $scenario() {
                $module::$scenario(&mut Fixture::new());
            }
        )*

        /// Groups of calls that belong together.
        const SCENARIOS: &[fn(&mut Fixture)] = &[$($module::$scenario,)*];
    };
}

scenarios! {
    memory::allocators,
    memory::imports,
    memory::selection,
    memory::buffers,
    memory::numbers_in_buffers,
    memory::ownership,
    memory::views,
    memory::assertions_about_views,
    memory::traces,
    memory::long_texts,
    memory::devices,
    memory::channels,
    fences::life,
    fences::joins,
    fences::awaits,
    fences::timeouts,
    fences::failures,
    fences::work_is_awaited,
    queues::memory,
    queues::transfers,
    queues::large_patterns,
    queues::files,
    commands::dispatches_v7,
    commands::code_that_does_not_load,
    commands::transfers_v7,
    commands::long_updates,
    commands::dispatches_v2,
    commands::all_is_checked_and_kept,
    commands::too_many_slots,
    commands::refusals,
}

#[test]
fn every_row_is_called() {
    let mut called = BTreeSet::new();
    for scenario in SCENARIOS {
        let mut fixture = Fixture::new();
        scenario(&mut fixture);
        called.append(&mut fixture.called);
    }
    let missing: Vec<_> = (0..EXPORTS.len())
        .filter(|row| !called.contains(row))
        .map(|row| EXPORTS[row])
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

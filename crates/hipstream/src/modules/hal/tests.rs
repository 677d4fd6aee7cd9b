//! The functions, called as a program would, on the software GPU and on
//! providers that do nothing or fail.

mod programs;

use std::collections::BTreeSet;

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

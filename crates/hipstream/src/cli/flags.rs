//! Flags as users of the stock tools write them: underscores or dashes, and
//! files of flags.

use std::ffi::OsString;
use std::path::Path;

/// What the help of the program says about flags.
pub(super) const HELP: &str = "\
Flags may be spelled with underscores or dashes, --flag=value or --flag value.
--flagfile=FILE stands for the flags in a file, one a line; # begins a comment.

Examples:
  hipstream run --module=model.vmfb --function=main --input=@x.npy
  hipstream help run";

/// How deep files of flags may name others.
const MAX_DEPTH: usize = 8;

/// Gives every flag with an underscore or a dash in its name the other spelling too.
pub(super) fn spell_both_ways(command: clap::Command) -> clap::Command {
    command
        .mut_args(|arg| {
            let Some(long) = arg.get_long() else {
                return arg;
            };
            let (dashes, underscores) = (long.replace('_', "-"), long.replace('-', "_"));
            match long {
                long if long != dashes => arg.alias(dashes),
                long if long != underscores => arg.alias(underscores),
                _ => arg,
            }
        })
        .mut_subcommands(spell_both_ways)
}

/// Puts the lines of each `--flagfile=FILE` in its place. What follows `--`
/// stays as it is.
pub(super) fn expand(args: impl IntoIterator<Item = OsString>) -> Result<Vec<OsString>, String> {
    let mut expanded = Vec::new();
    let mut args = args.into_iter();
    while let Some(arg) = args.next() {
        if arg == "--" {
            expanded.push(arg);
            expanded.extend(args);
            break;
        }
        match arg
            .to_str()
            .and_then(|text| text.strip_prefix("--flagfile="))
        {
            Some(path) => read(Path::new(path), 1, &mut expanded)?,
            None => expanded.push(arg),
        }
    }
    Ok(expanded)
}

fn read(path: &Path, depth: usize, flags: &mut Vec<OsString>) -> Result<(), String> {
    let wrong = |reason: String| format!("--flagfile={}: {reason}", path.display());
    if depth > MAX_DEPTH {
        return Err(wrong(format!(
            "more than {MAX_DEPTH} files name each other"
        )));
    }
    let text = std::fs::read_to_string(path).map_err(|io| wrong(io.to_string()))?;
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match line.strip_prefix("--flagfile=") {
            Some(inner) => read(Path::new(inner), depth + 1, flags)?,
            None if line.starts_with("--") => flags.push(line.into()),
            None => return Err(wrong(format!("`{line}` is not a flag"))),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_of_files_stand_where_the_file_is_named() {
        let folder = std::env::temp_dir().join(format!("hipstream-flags-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a temporary folder");
        let file = |name: &str, text: &str| {
            let path = folder.join(name);
            std::fs::write(&path, text).expect("writable");
            format!("--flagfile={}", path.display())
        };
        let inner = file("inner", "--b\n");
        let outer = file("outer", &format!("# comment\n\n  --a=1 2\n{inner}\n"));
        let list = |args: &[&str]| expand(args.iter().map(OsString::from));
        assert_eq!(
            list(&["x", &outer, "--c", "--", &inner]),
            Ok(["x", "--a=1 2", "--b", "--c", "--", &inner]
                .map(OsString::from)
                .to_vec())
        );
        let itself = folder.join("loop");
        let flag = file("loop", &format!("--flagfile={}\n", itself.display()));
        let message = list(&[&flag]).expect_err("endless");
        assert!(message.contains("name each other"), "{message}");
        let word = file("word", "word\n");
        let message = list(&[&word]).expect_err("no flag");
        assert!(message.contains("`word` is not a flag"), "{message}");
        std::fs::remove_dir_all(&folder).expect("ours");
    }
}

//! The entries of a file, as text and as JSON.

use std::fmt;
use std::path::Path;

use serde::Serialize;

use super::{Archive, Contents, Entry, Format};

/// What a file has: prints as a table, serializes as one object.
#[derive(Debug, Serialize)]
pub struct Listing<'a> {
    file: &'a Path,
    format: Format,
    /// The lengths of all entries together.
    bytes: u64,
    entries: &'a [Entry],
}

impl Archive {
    /// Its entries, to show.
    pub fn listing(&self) -> Listing<'_> {
        // Entries may share contents or be patterns, so the sum has no bound.
        let total = |sum: u64, entry: &Entry| sum.saturating_add(entry.length());
        Listing {
            file: self.path(),
            format: self.format(),
            bytes: self.entries().iter().fold(0, total),
            entries: self.entries(),
        }
    }
}

impl fmt::Display for Listing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}: {}, {} entries, {} bytes",
            self.file.display(),
            self.format,
            self.entries.len(),
            self.bytes
        )?;
        let rows: Vec<[String; 4]> = self.entries.iter().map(row).collect();
        let mut widths = HEAD.map(str::len);
        for row in &rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let mut line = |[name, kind, bytes, place]: [&str; 4]| {
            let text = format!(
                "  {name:<a$}  {kind:<b$}  {bytes:>c$}  {place}",
                a = widths[0],
                b = widths[1],
                c = widths[2]
            );
            writeln!(f, "{}", text.trim_end())
        };
        line(HEAD)?;
        rows.iter()
            .try_for_each(|row| line(row.each_ref().map(String::as_str)))
    }
}

const HEAD: [&str; 4] = ["name", "type", "bytes", "offset"];

fn row(entry: &Entry) -> [String; 4] {
    let dims = entry.shape.iter().flatten().map(|dim| format!("{dim}x"));
    let element_type = entry.element_type.as_deref().unwrap_or("-");
    let place = match &entry.contents {
        Contents::Data { offset, .. } => offset.to_string(),
        Contents::Splat { pattern, .. } => format!("splat {pattern}"),
        Contents::External { file, offset, .. } => {
            format!("{offset} of {}", file.escape_debug())
        }
    };
    [
        // Names are the file's words: they may not move the cursor.
        entry.name.escape_debug().to_string(),
        format!("{}{element_type}", dims.collect::<String>()),
        entry.length().to_string(),
        place,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameters::testing::{Folder, IrpaWriter, gguf, safetensors};
    use crate::parameters::{Mode, Pattern};

    fn list(path: &Path) -> (String, serde_json::Value) {
        let archive = Archive::open(path, Mode::File).expect("sound");
        let listing = archive.listing();
        let text = listing.to_string();
        let first = text.split_once(": ").expect("a file name").1.to_owned();
        (first, serde_json::to_value(&listing).expect("plain data"))
    }

    #[test]
    fn every_kind_of_entry_is_listed() {
        let folder = Folder::new("listing");
        folder.file("more.bin", &[0; 8]);
        let splat = Pattern::new(&[0, 0, 0x80, 0x3f]).expect("4 bytes");
        let file = IrpaWriter::new()
            .splat("ones", 16, splat)
            .data("weight\n", b"12345678")
            .external("far", "more.bin", 4, 4)
            .finish();
        let (text, json) = list(&folder.file("a.irpa", &file));
        let offset = json["entries"][1]["offset"].as_u64().expect("a number");
        assert_eq!(
            text,
            format!(
                "irpa, 3 entries, 28 bytes
  name      type  bytes  offset
  ones      -        16  splat 0000803f
  weight\\n  -         8  {offset}
  far       -         4  4 of more.bin
"
            )
        );
        assert_eq!(json["format"], "irpa");
        assert_eq!(json["entries"][0]["pattern"], "0000803f");
        assert_eq!(json["entries"][0]["storage"], "splat");
        assert_eq!(json["entries"][2]["file"], "more.bin");
    }

    #[test]
    fn types_and_shapes_are_shown_where_the_format_has_them() {
        let folder = Folder::new("typed");
        let file = safetensors(&[("w", "F32", &[2, 3], &[0; 24])]);
        let (text, _) = list(&folder.file("a.safetensors", &file));
        assert!(text.contains("w     2x3xF32     24  "), "{text}");
        let file = gguf(3, 64, &[("q", &[2, 256], 12, &[0; 288])]);
        let (text, json) = list(&folder.file("a.gguf", &file));
        assert!(text.contains("q     2x256xQ4_K    288  "), "{text}");
        assert_eq!(json["entries"][0]["shape"], serde_json::json!([2, 256]));
    }
}

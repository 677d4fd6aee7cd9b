//! Fixtures, and a writer of small flatbuffers, so that tests can say exactly what is wrong with one.
use std::path::PathBuf;

/// A file of `fixtures/`.
pub(crate) fn fixture(name: &str) -> Vec<u8> {
    let path = fixtures().join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All files of `fixtures/` with one of these extensions.
pub(crate) fn fixtures_with(extensions: &[&str]) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for folder in [
        "gfx1100",
        "old_gfx1100",
        "gfx942",
        "amdgpu_gfx1100",
        "amdgpu_gfx942",
    ] {
        for entry in std::fs::read_dir(fixtures().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let extension = path.extension().and_then(|extension| extension.to_str());
            if extension.is_some_and(|extension| extensions.contains(&extension)) {
                let bytes = std::fs::read(&path).unwrap();
                found.push((path, bytes));
            }
        }
    }
    found.sort();
    found
}

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures")
}

/// The value of a field.
#[derive(Clone)]
pub(crate) enum Value {
    U32(u32),
    I32(i32),
    U64(u64),
    Dims([u32; 3]),
    Text(Vec<u8>),
    Bytes(Vec<u8>),
    Table(Vec<(u16, Value)>),
    Tables(Vec<Vec<(u16, Value)>>),
    Texts(Vec<String>),
    U32s(Vec<u32>),
    U64s(Vec<u64>),
    DimsList(Vec<[u32; 3]>),
    /// Structs of any one size.
    Structs(Vec<Vec<u8>>),
}

/// A string field.
pub(crate) fn text(value: &str) -> Value {
    Value::Text(value.as_bytes().to_vec())
}

/// A flatbuffer with this identifier and this root table.
pub(crate) fn flatbuffer(identifier: &[u8; 4], root: &[(u16, Value)]) -> Vec<u8> {
    let mut out = vec![0; 4];
    out.extend_from_slice(identifier);
    let at = write_table(&mut out, root);
    patch(&mut out, 0, at);
    out
}

fn write_table(out: &mut Vec<u8>, fields: &[(u16, Value)]) -> usize {
    let slots = fields.iter().map(|(id, _)| id + 1).max().unwrap_or(0);
    let mut offsets = vec![0_u16; usize::from(slots)];
    let mut bytes: u16 = 4;
    for (id, value) in fields {
        offsets[usize::from(*id)] = bytes;
        bytes += match value {
            Value::U64(_) => 8,
            Value::Dims(_) => 12,
            _ => 4,
        };
    }
    let vtable = out.len();
    out.extend((4 + 2 * slots).to_le_bytes());
    out.extend(bytes.to_le_bytes());
    for offset in &offsets {
        out.extend(offset.to_le_bytes());
    }
    out.resize(out.len().next_multiple_of(4), 0);
    let at = out.len();
    out.extend(i32::try_from(at - vtable).unwrap().to_le_bytes());
    out.resize(at + usize::from(bytes), 0);
    for (id, value) in fields {
        let field = at + usize::from(offsets[usize::from(*id)]);
        write_value(out, field, value);
    }
    at
}

fn write_value(out: &mut Vec<u8>, field: usize, value: &Value) {
    let inline: Vec<u8> = match value {
        Value::U32(value) => value.to_le_bytes().to_vec(),
        Value::I32(value) => value.to_le_bytes().to_vec(),
        Value::U64(value) => value.to_le_bytes().to_vec(),
        Value::Dims(dims) => dims.iter().flat_map(|dim| dim.to_le_bytes()).collect(),
        Value::Table(fields) => {
            let at = write_table(out, fields);
            return patch(out, field, at);
        }
        _ => {
            let at = write_vector(out, value);
            return patch(out, field, at);
        }
    };
    out[field..field + inline.len()].copy_from_slice(&inline);
}

fn write_vector(out: &mut Vec<u8>, value: &Value) -> usize {
    out.resize(out.len().next_multiple_of(4), 0);
    let at = out.len();
    let mut begin = |len: usize, contents: Vec<u8>| {
        out.extend(u32::try_from(len).unwrap().to_le_bytes());
        out.extend(contents);
    };
    match value {
        Value::Text(text) => begin(text.len(), [text.as_slice(), &[0]].concat()),
        Value::Bytes(bytes) => begin(bytes.len(), bytes.clone()),
        Value::U32s(words) => begin(
            words.len(),
            words.iter().flat_map(|word| word.to_le_bytes()).collect(),
        ),
        Value::U64s(words) => begin(
            words.len(),
            words.iter().flat_map(|word| word.to_le_bytes()).collect(),
        ),
        Value::DimsList(list) => begin(
            list.len(),
            list.iter()
                .flatten()
                .flat_map(|dim| dim.to_le_bytes())
                .collect(),
        ),
        Value::Structs(list) => begin(list.len(), list.concat()),
        Value::Tables(tables) => {
            begin(tables.len(), vec![0; 4 * tables.len()]);
            for (index, table) in tables.iter().enumerate() {
                let table = write_table(out, table);
                patch(out, at + 4 + 4 * index, table);
            }
        }
        Value::Texts(texts) => {
            begin(texts.len(), vec![0; 4 * texts.len()]);
            for (index, item) in texts.iter().enumerate() {
                let item = write_vector(out, &text(item));
                patch(out, at + 4 + 4 * index, item);
            }
        }
        _ => unreachable!("not a vector"),
    }
    out.resize(out.len().next_multiple_of(4), 0);
    at
}

/// Makes the offset at `field` lead to `target`.
fn patch(out: &mut [u8], field: usize, target: usize) {
    let distance = u32::try_from(target - field).unwrap();
    out[field..field + 4].copy_from_slice(&distance.to_le_bytes());
}

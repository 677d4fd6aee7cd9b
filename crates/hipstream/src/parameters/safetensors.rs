//! `.safetensors`: a length, a header in JSON, then contents without gaps.

use safetensors::tensor::Metadata;

use super::archive::{Contents, Entry};
use super::cursor::Cursor;
use super::error::Malformed;

/// The most a header may have, as the format says.
const MAX_HEADER_BYTES: u64 = 100_000_000;

/// Whether a file looks like one: they have no magic number.
pub(super) fn looks_like(file: &[u8]) -> bool {
    let mut cursor = Cursor::new(file, 0);
    cursor.u64().is_ok_and(|length| length <= MAX_HEADER_BYTES) && cursor.u8().ok() == Some(b'{')
}

/// The entries of a file, in the order of their contents.
pub(super) fn parse(file: &[u8]) -> Result<Vec<Entry>, Malformed> {
    let mut cursor = Cursor::new(file, 0);
    let header_length = cursor.u64()?;
    if header_length > MAX_HEADER_BYTES {
        return Err(Malformed::new(format!(
            "its header has {header_length} bytes; {MAX_HEADER_BYTES} are allowed"
        )));
    }
    let header = cursor.take(header_length)?;
    // Reading checks that contents follow one another and are as long as
    // shapes and types say.
    let metadata: Metadata = serde_json::from_slice(header)
        .map_err(|error| Malformed::new(format!("its header: {error}")))?;
    let data_start = cursor.position();
    let data_length = file.len() as u64 - data_start;
    let told = metadata.data_len() as u64;
    if told != data_length {
        return Err(Malformed::new(format!(
            "its header tells of {told} bytes of contents, there are {data_length}"
        )));
    }
    let tensors = metadata.offset_keys().into_iter().filter_map(|name| {
        let info = metadata.info(&name)?;
        let (start, end) = info.data_offsets;
        Some(Entry {
            name,
            element_type: Some(format!("{:?}", info.dtype)),
            shape: Some(info.shape.iter().map(|&dim| dim as u64).collect()),
            contents: Contents::Data {
                offset: data_start + start as u64,
                length: (end - start) as u64,
            },
        })
    });
    Ok(tensors.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameters::testing::safetensors;

    fn refusal(file: &[u8]) -> String {
        parse(file).expect_err("a damaged file").0
    }

    fn with_header(header: &str, contents: &[u8]) -> Vec<u8> {
        let mut file = (header.len() as u64).to_le_bytes().to_vec();
        file.extend(header.as_bytes());
        file.extend(contents);
        file
    }

    #[test]
    fn tensors_come_in_the_order_of_their_contents() {
        let file = safetensors(&[
            ("w", "F32", &[2, 2], &[1; 16]),
            ("a", "BF16", &[3], &[2; 6]),
            ("none", "I64", &[0], &[]),
        ]);
        let entries = parse(&file).expect("sound");
        let mut found: Vec<_> = entries
            .iter()
            .map(|entry| {
                let Contents::Data { offset, length } = entry.contents else {
                    panic!("{entry:?}");
                };
                let contents = &file[offset as usize..(offset + length) as usize];
                let shape = entry.shape.as_deref().expect("all have shapes");
                let element_type = entry.element_type.as_deref().expect("and types");
                (entry.name.as_str(), shape, element_type, contents)
            })
            .collect();
        let expected: [(&str, &[u64], &str, &[u8]); 3] = [
            ("w", &[2, 2], "F32", &[1; 16]),
            ("a", &[3], "BF16", &[2; 6]),
            ("none", &[0], "I64", &[]),
        ];
        // Nothing orders tensors without contents among those at the same place.
        found.sort_by_key(|row| expected.iter().position(|other| other.0 == row.0));
        assert_eq!(found, expected);
        assert!(looks_like(&file));
    }

    #[test]
    fn damage_is_named() {
        let sound = safetensors(&[("w", "F32", &[2], &[1; 8])]);
        for length in 0..sound.len() {
            refusal(&sound[..length]);
        }
        let message = refusal(&[sound.clone(), vec![0]].concat());
        assert_eq!(
            message,
            "its header tells of 8 bytes of contents, there are 9"
        );
        let message = refusal(&u64::MAX.to_le_bytes());
        assert!(message.contains("100000000 are allowed"), "{message}");
        let far = u64::MAX;
        for header in [
            r#"{"w":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}"#.to_owned(),
            r#"{"w":{"dtype":"F33","shape":[2],"data_offsets":[0,8]}}"#.to_owned(),
            r#"{"w":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#.to_owned(),
            format!(r#"{{"w":{{"dtype":"U8","shape":[{far}],"data_offsets":[0,{far}]}}}}"#),
            "[".repeat(10_000),
        ] {
            refusal(&with_header(&header, &[0; 8]));
        }
        // As long as lengths can be; only the sum with the header is too much.
        let half = u64::MAX / 8;
        let tensors: Vec<_> = (0..8)
            .map(|i| {
                format!(
                    r#""t{i}":{{"dtype":"U8","shape":[{half}],"data_offsets":[{},{}]}}"#,
                    i * half,
                    (i + 1) * half
                )
            })
            .collect();
        let header = format!("{{{}}}", tensors.join(","));
        let message = refusal(&with_header(&header, &[]));
        assert!(message.contains("there are 0"), "{message}");
    }
}

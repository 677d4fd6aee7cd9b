//! The text form of arrays.
#![no_main]

use hipstream::array::Array;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    // Whoever asks for a large array gets one, and files are theirs to name.
    let sizes = text.split_once('=').map_or(text, |(sizes, _)| sizes);
    let elements = sizes
        .split('x')
        .filter_map(|size| size.trim().parse::<u64>().ok())
        .fold(1u64, |elements, size| elements.saturating_mul(size.max(1)));
    if elements > 1 << 16 || text.contains(['@', '+']) {
        return;
    }
    if let Ok(array) = text.parse::<Array>() {
        let printed = array.display(usize::MAX).to_string();
        let back: Array = printed.parse().expect("what is printed can be read");
        // Digits are lost in print; neither type nor shape is.
        assert_eq!(back.type_text(), array.type_text());
        assert_eq!(back.bytes().len(), array.bytes().len());
    }
});

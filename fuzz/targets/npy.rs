//! NumPy files.
#![no_main]

use hipstream::array::Array;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(array) = Array::read_npy(bytes, "input") {
        assert!(array.bytes().len() < bytes.len());
        assert!(!array.to_string().is_empty());
    }
});

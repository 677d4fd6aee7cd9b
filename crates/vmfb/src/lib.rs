//! Bytes of an IREE module or executable container, checked into plain structs.
#![forbid(unsafe_code)]

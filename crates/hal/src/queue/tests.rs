use super::*;
use crate::StatusCode;

#[test]
fn affinity_takes_the_lowest_queue_allowed() {
    let select = |bits, count| QueueAffinity(bits).select(count);
    assert_eq!(select(0, 4).unwrap(), 0);
    assert_eq!(QueueAffinity::ANY.select(64).unwrap(), 0);
    assert_eq!(select(0b1100, 4).unwrap(), 2);
    assert_eq!(select(1 << 63, 64).unwrap(), 63);
    for (bits, count) in [(0b10000, 4), (1 << 63, 63), (0b10, 1)] {
        let status = select(bits, count).unwrap_err();
        assert_eq!(status.code(), StatusCode::InvalidArgument);
    }
}

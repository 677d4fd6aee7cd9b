//! Failures of devices as failures of programs, and back.

use std::error::Error as _;

use hal::{Status, StatusCode};
use vm::{Code, Error};

/// The failure as a program sees it. The status itself is the cause, so that
/// whoever looks down the chain finds it by its type.
pub fn to_error(status: Status) -> Error {
    let code = Code(status.code().number());
    Error::with_cause(code, status.message().to_owned(), status)
}

/// The failure as devices and fences take it: the status that caused it, if
/// it adds nothing to that, or one with the error as its cause.
pub fn to_status(error: &Error) -> Status {
    let cause = error
        .source()
        .and_then(|cause| cause.downcast_ref::<Status>());
    match cause {
        Some(status) if status.message() == error.message() => status.clone(),
        _ => Status::with_cause(
            status_code(error.code()),
            error.message().to_owned(),
            error.clone(),
        ),
    }
}

/// The code with the same number; `UNKNOWN` if there is none.
pub(super) fn status_code(code: Code) -> StatusCode {
    StatusCode::from_number(code.0).unwrap_or(StatusCode::Unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_go_to_programs_and_back() {
        let cause = Status::data_loss("bad block");
        let status = cause.context("copying");
        let error = to_error(status.clone());
        assert_eq!(error.to_string(), "DATA_LOSS: copying");
        let found = error.source().unwrap().downcast_ref::<Status>().unwrap();
        assert!(found.ptr_eq(&status));
        assert!(to_status(&error).ptr_eq(&status));
        let outer = Error::with_cause(error.code(), "calling `main`", error);
        let status = to_status(&outer);
        assert_eq!(status.code(), StatusCode::DataLoss);
        assert!(
            format!("{status:#}").ends_with(": copying: bad block"),
            "{status:#}"
        );
        assert_eq!(
            to_status(&Error::new(Code(77), "odd")).code(),
            StatusCode::Unknown
        );
    }

    #[test]
    fn every_code_has_the_same_number_on_both_sides() {
        for code in StatusCode::ALL {
            let error = to_error(Status::new(*code, "it"));
            assert_eq!(error.code().0, code.number());
            assert_eq!(error.code().name(), Some(code.name()));
            assert_eq!(to_status(&error).code(), *code);
        }
    }
}

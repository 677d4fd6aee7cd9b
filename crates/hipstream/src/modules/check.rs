//! The `check` module: what compiled test programs expect, as in
//! `iree-check-module`. Expectations that do not hold are collected; the
//! program goes on, so that one run tells them all.

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};

use hal::Device;
use vm::{Call, Code, Error, Flow, NativeExport, NativeModule, RefType, Result};

use super::hal::types;
use crate::Tensor;
use crate::array::{Array, Tolerance};

/// What did not hold, in the order it was found. Clones share one list.
#[derive(Clone, Debug, Default)]
pub struct Failures(Arc<Mutex<Vec<String>>>);

impl Failures {
    /// A list without failures.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes out what was found so far, a text of one or more lines each.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn add(&self, failure: String) {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        failures.push(failure);
    }
}

/// The module, as one context sees it.
#[derive(Debug)]
pub struct CheckModule {
    failures: Failures,
}

impl CheckModule {
    /// A module that adds what does not hold to `failures`.
    pub fn new(failures: &Failures) -> Self {
        Self {
            failures: failures.clone(),
        }
    }
}

/// What a function does: `Ok` with what does not hold, or an error if that
/// cannot be found out.
type Check = fn(&mut Call<'_>) -> Result<Option<String>>;

macro_rules! table {
    ($($name:literal $signature:literal $check:path,)*) => {
        pub(super) static EXPORTS: &[NativeExport] = &[
            $(NativeExport { name: $name, signature: $signature },)*
        ];

        static CHECKS: &[Check] = &[$($check,)*];
    };
}

// The table of functions. `expect_almost_eq` came without tolerances at first.
table! {
    "expect_true" "0i_v" expect_true,
    "expect_false" "0i_v" expect_false,
    "expect_all_true" "0rr_v" expect_all_true,
    "expect_eq" "0rrr_v" expect_eq,
    "expect_almost_eq" "0rrrff_v" expect_almost_eq,
    "expect_almost_eq" "0rrr_v" expect_almost_eq_v0,
}

impl NativeModule for CheckModule {
    fn name(&self) -> &'static str {
        "check"
    }

    fn version(&self) -> u32 {
        0
    }

    fn types(&self) -> &'static [&'static RefType] {
        &[]
    }

    fn exports(&self) -> &[NativeExport] {
        EXPORTS
    }

    fn call(&mut self, export: usize, call: &mut Call<'_>) -> Result<Flow> {
        let check = CHECKS.get(export).ok_or_else(|| {
            Error::new(
                Code::INTERNAL,
                format!("`check` has no function number {export}"),
            )
        })?;
        if let Some(why) = check(call)? {
            self.failures
                .add(format!("{}: {why}", EXPORTS[export].name));
        }
        Ok(Flow::Return)
    }
}

fn expect_true(call: &mut Call<'_>) -> Result<Option<String>> {
    Ok(match call.i32()? {
        0 => Some("expected a value other than 0, but have 0".to_owned()),
        _ => None,
    })
}

fn expect_false(call: &mut Call<'_>) -> Result<Option<String>> {
    Ok(match call.i32()? {
        0 => None,
        value => Some(format!("expected 0, but have {value}")),
    })
}

fn expect_all_true(call: &mut Call<'_>) -> Result<Option<String>> {
    let device = call.object(&types::DEVICE)?;
    let array = array(device, call)?;
    let zero = (0..array.element_count()).find(|&index| {
        // A float of negative zero is no more true than one of zero.
        let is_float = array.element_type().is_float();
        let element = array.element(index);
        match element.split_last() {
            Some((last, rest)) if is_float => rest.iter().all(|&b| b == 0) && last << 1 == 0,
            _ => element.iter().all(|&byte| byte == 0),
        }
    });
    Ok(zero.map(|index| {
        let difference = format!("expected no element to be 0, but the one at index {index} is");
        describe(difference, None, &array)
    }))
}

/// Types, shapes and every bit.
fn expect_eq(call: &mut Call<'_>) -> Result<Option<String>> {
    let (actual, expected) = sides(call)?;
    if actual == expected {
        return Ok(None);
    }
    let exactly = Tolerance {
        absolute: 0.0,
        relative: 0.0,
    };
    let difference = actual
        .difference(&expected, exactly)
        .unwrap_or_else(|| "elements have the same values, but not the same bits".to_owned());
    Ok(Some(describe(difference, Some(&expected), &actual)))
}

fn expect_almost_eq(call: &mut Call<'_>) -> Result<Option<String>> {
    let (actual, expected) = sides(call)?;
    let tolerance = Tolerance {
        absolute: call.f32()?.into(),
        relative: call.f32()?.into(),
    };
    Ok(almost_eq(&actual, &expected, tolerance))
}

fn expect_almost_eq_v0(call: &mut Call<'_>) -> Result<Option<String>> {
    let (actual, expected) = sides(call)?;
    let tolerance = Tolerance {
        absolute: 1e-4,
        relative: 0.0,
    };
    Ok(almost_eq(&actual, &expected, tolerance))
}

fn almost_eq(actual: &Array, expected: &Array, tolerance: Tolerance) -> Option<String> {
    let difference = actual.difference(expected, tolerance)?;
    let within = format!(
        "{difference} within {} + {} * |expected|",
        tolerance.absolute, tolerance.relative
    );
    Some(describe(within, Some(expected), actual))
}

/// The next three arguments: a device, what is, what is expected.
fn sides(call: &mut Call<'_>) -> Result<(Array, Array)> {
    let device = call.object(&types::DEVICE)?;
    Ok((array(device, call)?, array(device, call)?))
}

/// The next argument, a view, with its elements.
fn array(device: &Device, call: &mut Call<'_>) -> Result<Array> {
    let view = call.object(&types::BUFFER_VIEW)?;
    Tensor::new(device, view.clone())
        .to_array()
        .map_err(|error| super::hal::to_error(error.status().clone()))
}

/// What does not hold about an array, with a line for each side.
fn describe(mut difference: String, expected: Option<&Array>, actual: &Array) -> String {
    if let Some(expected) = expected {
        difference += &format!("\n  expected: {}", expected.display(SHOWN));
    }
    difference + &format!("\n  actual:   {}", actual.display(SHOWN))
}

/// Elements of an array that are shown at most.
const SHOWN: usize = 64;

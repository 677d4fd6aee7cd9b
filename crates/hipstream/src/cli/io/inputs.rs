//! Inputs: texts and files to values, held against what the function takes.

use vm::Kind;

use super::declaration::Tensor;
use super::{Interface, Slot, Value};
use crate::array::{Array, ArrayError, Reader, float, integer};
use crate::cli::report::{BAD_FILE, Failure, USAGE};

/// The values of `--input` flags, one for each input of the function.
///
/// Whatever does not fit what the function takes is refused here, before
/// anything runs: which input, what was given, what is wanted.
pub(in crate::cli) fn parse(
    function: &Interface,
    texts: &[String],
    reader: &mut Reader,
) -> Result<Vec<Value>, Failure> {
    let mut values = Vec::new();
    let mut slots = Slots {
        what: "input",
        slots: &function.inputs,
        function,
    };
    slots.read(texts, reader, &mut values)?;
    check_count(function, "input", function.inputs.len(), values.len())?;
    Ok(values)
}

/// The values of `--expected_output` flags; `None` for those that may be anything.
pub(super) fn parse_expected(
    function: &Interface,
    texts: &[String],
    reader: &mut Reader,
) -> Result<Vec<Option<Value>>, Failure> {
    let mut slots = Slots {
        what: "expected output",
        slots: &function.results,
        function,
    };
    let mut expected = Vec::new();
    for text in texts {
        if text == "(ignored)" {
            expected.push(None);
            continue;
        }
        let before = expected.len();
        let mut values = vec![Value::Null; before];
        slots.read(std::slice::from_ref(text), reader, &mut values)?;
        expected.extend(values.into_iter().skip(before).map(Some));
    }
    Ok(expected)
}

/// `INVALID_ARGUMENT` if there are not as many as the function has.
pub(in crate::cli) fn check_count(
    function: &Interface,
    what: &str,
    wanted: usize,
    given: usize,
) -> Result<(), Failure> {
    if wanted == given {
        return Ok(());
    }
    let s = if wanted == 1 { "" } else { "s" };
    let (verb, were) = match what {
        "input" => ("takes", if given == 1 { "was" } else { "were" }),
        _ => ("gives", if given == 1 { "was" } else { "were" }),
    };
    let noun = match what {
        "input" => "input",
        _ => "result",
    };
    Err(invalid(format!(
        "`{}` {verb} {wanted} {noun}{s}, but {given} {were} named by --{}",
        function.name,
        what.replace(' ', "_"),
    ))
    .help(function.usage.clone()))
}

/// Reads texts for inputs or results.
struct Slots<'a> {
    what: &'static str,
    slots: &'a [Slot],
    function: &'a Interface,
}

impl Slots<'_> {
    /// Appends the values of `texts`; a `*file.npy` is as many as it has.
    fn read(
        &mut self,
        texts: &[String],
        reader: &mut Reader,
        values: &mut Vec<Value>,
    ) -> Result<(), Failure> {
        for text in texts {
            let Some(path) = text.strip_prefix('*') else {
                values.push(self.value(values.len(), text, reader)?);
                continue;
            };
            let next = format!("+{path}");
            while reader
                .has_more(path)
                .map_err(|error| self.file(values.len(), error))?
            {
                values.push(self.value(values.len(), &next, reader)?);
            }
        }
        Ok(())
    }

    fn value(&self, index: usize, text: &str, reader: &mut Reader) -> Result<Value, Failure> {
        // One too many: the count says so, and better.
        let Some(slot) = self.slots.get(index) else {
            return Ok(Value::Null);
        };
        if matches!(text, "(null)" | "(ignored)") {
            return match slot.kind {
                Kind::Ref => Ok(Value::Null),
                _ => Err(self.wrong(index, text, format!("the function wants {}", slot.text()))),
            };
        }
        match slot.kind {
            Kind::Ref => self.object(index, slot, text, reader),
            kind => self.scalar(index, kind, slot, text, reader),
        }
    }

    fn object(
        &self,
        index: usize,
        slot: &Slot,
        text: &str,
        reader: &mut Reader,
    ) -> Result<Value, Failure> {
        let tensor = slot
            .declared
            .as_ref()
            .and_then(|declared| declared.tensor());
        if let Some(text) = text.strip_prefix('&') {
            let array = reader
                .array(text, None)
                .map_err(|error| self.file(index, error))?;
            return Ok(Value::Storage(array));
        }
        if float(text).is_ok() {
            let example = match tensor {
                // A single element is what a bare number can only mean.
                Some(Tensor {
                    shape,
                    element_type: Some(element_type),
                }) if shape.is_empty() => {
                    let array = format!("{element_type}={text}").parse();
                    return Ok(Value::Array(
                        array.map_err(|error| self.file(index, error))?,
                    ));
                }
                Some(tensor) => format!("write {}={text}", tensor_text(tensor)),
                None => format!("write SHAPExTYPE=VALUES, such as 4xf32={text}"),
            };
            let reason = format!("that is a number, the function wants {}", slot.text());
            return Err(self
                .wrong(index, text, reason)
                .help(format!("{example}; {}", self.function.usage)));
        }
        let element_type = tensor.and_then(|tensor| tensor.element_type);
        let array = reader
            .array(text, element_type)
            .map_err(|error| self.file(index, error))?;
        if let Some(difference) = tensor.and_then(|tensor| mismatch(&array, tensor)) {
            let given = format!(
                "{difference}: {} was given, the function wants {}",
                array.type_text(),
                slot.text()
            );
            return Err(self.wrong(index, text, given));
        }
        Ok(Value::Array(array))
    }

    fn scalar(
        &self,
        index: usize,
        kind: Kind,
        slot: &Slot,
        text: &str,
        reader: &mut Reader,
    ) -> Result<Value, Failure> {
        let wants = |reason: &str| {
            let reason = format!("{reason}, the function wants {}", slot.text());
            self.wrong(index, text, reason)
        };
        let is_array = text.contains('=') || text.starts_with(['@', '+']);
        let bits = match kind {
            Kind::I64 => 64,
            _ => 32,
        };
        let bits = slot
            .declared
            .as_ref()
            .and_then(|declared| declared.integer_bits())
            .map_or(bits, |declared| declared.min(bits));
        if is_array {
            let array = reader
                .array(text, None)
                .map_err(|error| self.file(index, error))?;
            let number = (array.element_count() == 1)
                .then(|| array.number(0))
                .flatten();
            return match (kind, number) {
                (Kind::F32 | Kind::F64, Some(number)) => Ok(from_float(kind, number.as_f64())),
                (_, Some(number)) => number
                    .as_integer()
                    .and_then(|value| from_integer(kind, bits, value))
                    .ok_or_else(|| wants(&format!("{} does not fit", array.type_text()))),
                (_, None) => Err(wants(&format!("{} was given", array.type_text()))),
            };
        }
        match kind {
            // As exact as the type is: by way of a double it would be rounded twice.
            Kind::F32 => match text.parse::<f32>() {
                Ok(value) => Ok(Value::F32(value)),
                Err(_) => float(text)
                    .map(|value| from_float(kind, value))
                    .map_err(|reason| wants(&reason)),
            },
            Kind::F64 => float(text).map(Value::F64).map_err(|reason| wants(&reason)),
            _ => {
                let value = match text {
                    "true" if bits == 1 => 1,
                    "false" if bits == 1 => 0,
                    text => integer(text).map_err(|reason| wants(&reason))?,
                };
                from_integer(kind, bits, value).ok_or_else(|| wants("that does not fit"))
            }
        }
    }

    /// A text that stands for nothing the function takes.
    fn wrong(&self, index: usize, text: &str, reason: String) -> Failure {
        invalid(format!(
            "{} {index} of `{}`, `{text}`: {reason}",
            self.what, self.function.name
        ))
        .help(self.function.usage.clone())
    }

    fn file(&self, index: usize, error: ArrayError) -> Failure {
        let message = format!("{} {index} of `{}`, {error}", self.what, self.function.name);
        match error {
            ArrayError::File { .. } => Failure::new(BAD_FILE, message),
            ArrayError::Syntax { .. } => invalid(message).help(self.function.usage.clone()),
        }
    }
}

fn invalid(message: String) -> Failure {
    Failure::new(USAGE, format!("INVALID_ARGUMENT: {message}"))
}

fn from_float(kind: Kind, value: f64) -> Value {
    match kind {
        Kind::F64 => Value::F64(value),
        _ => Value::F32(value as f32),
    }
}

/// The integer if it fits, with or without a sign.
fn from_integer(kind: Kind, bits: u32, value: i128) -> Option<Value> {
    let fits = (-(1i128 << (bits - 1))..1i128 << bits).contains(&value);
    fits.then_some(match kind {
        Kind::I64 => Value::I64(value as i64),
        _ => Value::I32(value as i32),
    })
}

/// What about an array is not as declared.
fn mismatch(array: &Array, tensor: &Tensor) -> Option<String> {
    if let Some(wanted) = tensor.element_type
        && !wanted.accepts(array.element_type())
    {
        return Some(format!(
            "element type mismatch; expected {wanted} but have {}",
            array.element_type()
        ));
    }
    if array.shape().len() != tensor.shape.len() {
        return Some(format!(
            "shape rank mismatch; expected {} but have {}",
            tensor.shape.len(),
            array.shape().len()
        ));
    }
    let (index, (&given, wanted)) = array
        .shape()
        .iter()
        .zip(&tensor.shape)
        .enumerate()
        .find(|(_, (given, wanted))| wanted.is_some_and(|wanted| wanted != **given))?;
    Some(format!(
        "shape dimension {index} mismatch; expected {} but have {given}",
        wanted.unwrap_or_default()
    ))
}

/// The tensor as a text form has it, with `N` for sizes that may be any.
fn tensor_text(tensor: &Tensor) -> String {
    let mut text = String::new();
    for size in &tensor.shape {
        text.push_str(&size.map_or("N".to_owned(), |size| size.to_string()));
        text.push('x');
    }
    match tensor.element_type {
        Some(element_type) => text + &element_type.to_string(),
        None => text + "TYPE",
    }
}

#[cfg(test)]
mod tests {
    use super::super::Declaration;
    use super::*;

    fn interface(kinds: &[Kind], declaration: &str) -> Interface {
        let declared = Declaration::parse(declaration);
        Interface {
            name: "f".to_owned(),
            usage: format!("it is declared `{declaration}`"),
            inputs: super::super::slots(kinds, declared.map(|d| d.inputs).unwrap_or_default()),
            results: Vec::new(),
        }
    }

    fn read(function: &Interface, texts: &[&str]) -> Result<Vec<Value>, String> {
        let texts: Vec<_> = texts.iter().map(ToString::to_string).collect();
        parse(function, &texts, &mut Reader::default()).map_err(|failure| failure.to_string())
    }

    #[test]
    fn scalars_are_what_the_calling_convention_says() {
        let all = interface(&[Kind::I32, Kind::I64, Kind::F32, Kind::F64], "");
        let values = read(&all, &["-7", "0x10", "2.5", "1e300"]).expect("fits");
        assert_eq!(
            values,
            [
                Value::I32(-7),
                Value::I64(16),
                Value::F32(2.5),
                Value::F64(1e300)
            ]
        );
        let typed = read(&all, &["i32=4294967295", "i8=-1", "i32=3", "f32=0.5"]).expect("fits");
        assert_eq!(
            typed,
            [
                Value::I32(-1),
                Value::I64(-1),
                Value::F32(3.0),
                Value::F64(0.5)
            ]
        );
        let one = interface(&[Kind::I32], "func @f(%a: i8) -> ()");
        for (text, part) in [
            ("256", "that does not fit, the function wants i8"),
            ("1.5", "`1.5` is not an integer, the function wants i8"),
            ("7 8", "is not an integer"),
            ("", "is not an integer"),
            ("2xi32=1", "2xi32 was given, the function wants i8"),
            ("f32=1.5", "f32 does not fit"),
            ("(null)", "the function wants i8"),
        ] {
            let message = read(&one, &[text]).expect_err(text);
            assert!(message.contains(part), "{text}: {message}");
            assert!(
                message.contains("INVALID_ARGUMENT: input 0 of `f`"),
                "{message}"
            );
        }
        let flag = interface(&[Kind::I32], "func @f(%a: i1) -> ()");
        assert_eq!(read(&flag, &["true"]), Ok(vec![Value::I32(1)]));
        assert!(read(&flag, &["2"]).is_err());
    }

    #[test]
    fn arrays_are_held_against_the_declaration() {
        let declared = interface(&[Kind::Ref], "func @f(%a: tensor<?x2xf32>) -> ()");
        assert!(read(&declared, &["3x2xf32=1"]).is_ok());
        assert_eq!(read(&declared, &["(null)"]), Ok(vec![Value::Null]));
        for (text, part) in [
            (
                "3x2xi32=1",
                "element type mismatch; expected f32 but have i32: 3x2xi32 was given, the function wants tensor<?x2xf32>",
            ),
            (
                "3x3xf32=1",
                "shape dimension 1 mismatch; expected 2 but have 3",
            ),
            ("2xf32=1", "shape rank mismatch; expected 2 but have 1"),
            ("7", "write Nx2xf32=7"),
            ("3x2xf32=1,2", "6 elements, but 2 values"),
        ] {
            let message = read(&declared, &[text]).expect_err(text);
            assert!(message.contains(part), "{text}: {message}");
            assert!(message.contains("it is declared `func @f"), "{message}");
        }
        let scalar = interface(&[Kind::Ref], "func @f(%a: tensor<f32>) -> ()");
        let array: Array = "f32=2.5".parse().expect("well formed");
        assert_eq!(read(&scalar, &["2.5"]), Ok(vec![Value::Array(array)]));
        let bytes = interface(&[Kind::Ref], "func @f(%a: tensor<2xi1>) -> ()");
        assert!(read(&bytes, &["2xi8=1 0"]).is_ok());
        let undeclared = interface(&[Kind::Ref], "");
        assert!(matches!(
            read(&undeclared, &["&4xf32=1"]).expect("fits")[..],
            [Value::Storage(_)]
        ));
    }

    #[test]
    fn counts_must_agree() {
        let two = interface(&[Kind::I32, Kind::I32], "func @f(%a: i32, %b: i32) -> ()");
        for (texts, part) in [
            (&["1"][..], "`f` takes 2 inputs, but 1 was named by --input"),
            (&["1", "2", "3"], "`f` takes 2 inputs, but 3 were named"),
            (&[], "`f` takes 2 inputs, but 0 were named"),
        ] {
            let message = read(&two, texts).expect_err("another number");
            assert!(message.contains(part), "{message}");
        }
    }
}

//! `buffer_view.*`: buffers with a shape and an element type.

use hal::{BufferView, Device, ElementType, Encoding};
use vm::{Call, Code, Error, Flow, Result, Value};

use super::{HalModule, lossy, text, to_error, types};
use crate::Tensor;

pub(super) fn create(module: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let buffer = call.object(&types::BUFFER)?;
    let (offset, length) = (call.u64()?, call.u64()?);
    let element_type = ElementType(call.u32()?);
    let encoding = Encoding(call.u32()?);
    let shape = read_shape(&mut module.scratch.shape, call)?;
    let view = buffer
        .subspan(offset, length)
        .and_then(|part| BufferView::new(part, shape, element_type, encoding))
        .map_err(to_error)?;
    call.ret(types::BUFFER_VIEW.wrap(view).into());
    Ok(Flow::Return)
}

pub(super) fn buffer(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let buffer = call.object(&types::BUFFER_VIEW)?.buffer().clone();
    call.ret(types::BUFFER.wrap(buffer).into());
    Ok(Flow::Return)
}

/// One dimension; 0 if the view has not got it.
pub(super) fn dim(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let view = call.object(&types::BUFFER_VIEW)?;
    let index = usize::try_from(call.i32()?).ok();
    let dim = index.and_then(|index| view.shape().get(index)).copied();
    call.ret(Value::I64(dim.unwrap_or(0).cast_signed()));
    Ok(Flow::Return)
}

pub(super) fn element_type(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let element_type = call.object(&types::BUFFER_VIEW)?.element_type();
    call.ret(Value::I32(element_type.0.cast_signed()));
    Ok(Flow::Return)
}

pub(super) fn encoding_type(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let encoding = call.object(&types::BUFFER_VIEW)?.encoding();
    call.ret(Value::I32(encoding.0.cast_signed()));
    Ok(Flow::Return)
}

pub(super) fn rank(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let rank = call.object(&types::BUFFER_VIEW)?.shape().len();
    call.ret(Value::I32(rank as i32));
    Ok(Flow::Return)
}

pub(super) fn assert(module: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let view = call.object(&types::BUFFER_VIEW)?;
    let name = call.optional(&vm::types::BUFFER)?;
    let element_type = ElementType(call.u32()?);
    let encoding = Encoding(call.u32()?);
    let shape = read_shape(&mut module.scratch.shape, call)?;
    match mismatch(view, element_type, encoding, shape) {
        None => Ok(Flow::Return),
        Some(why) => {
            let name = name.map_or_else(String::new, lossy);
            Err(Error::new(Code::INVALID_ARGUMENT, format!("{name} {why}")))
        }
    }
}

/// How a view is not what is expected. An opaque encoding may be anything.
fn mismatch(
    view: &BufferView,
    element_type: ElementType,
    encoding: Encoding,
    shape: &[u64],
) -> Option<String> {
    if view.encoding() != encoding && view.encoding() != Encoding::OPAQUE {
        return Some(format!(
            "encoding mismatch; expected {:08x} but have {:08x}",
            encoding.0,
            view.encoding().0
        ));
    }
    let actual = view.element_type();
    if !element_type.accepts(actual) {
        return Some(format!(
            "element type mismatch; expected {element_type} ({:08x}) but have {actual} ({:08x})",
            element_type.0, actual.0
        ));
    }
    let actual = view.shape();
    let difference = match actual.len() == shape.len() {
        false => format!(
            "shape rank mismatch; expected {} but have {}",
            shape.len(),
            actual.len()
        ),
        true => {
            let index = actual.iter().zip(shape).position(|(a, b)| a != b)?;
            format!(
                "shape dimension {index} mismatch; expected {} but have {}",
                shape[index], actual[index]
            )
        }
    };
    Some(format!(
        "{difference}; expected shape `{}`, actual shape `{}`",
        joined(shape),
        joined(actual)
    ))
}

/// Prints arrays, with a name, to the sink of traces if there is one.
pub(super) fn trace(module: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    if module.trace.is_none() {
        return Ok(Flow::Return);
    }
    let key = text(call)?;
    let mut lines = format!("=== {key} ===\n");
    for _ in 0..call.group()? {
        let line = match call.optional(&types::BUFFER_VIEW)? {
            Some(view) => contents(module.any_device()?, view),
            None => "(null)".to_owned(),
        };
        lines += &line;
        lines.push('\n');
    }
    if let Some(sink) = &mut module.trace {
        sink.write_all(lines.as_bytes())
            .and_then(|()| sink.flush())
            .map_err(|error| Error::with_cause(Code::UNAVAILABLE, "writing a trace", error))?;
    }
    Ok(Flow::Return)
}

/// A view as text: its elements, or what it is and why they cannot be shown.
fn contents(device: &Device, view: &BufferView) -> String {
    match Tensor::new(device, view.clone()).to_array() {
        Ok(array) => array.to_string(),
        Err(error) => format!("{view:?}: {error}"),
    }
}

/// The dimensions that come next, in room that is used again.
fn read_shape<'s>(shape: &'s mut Vec<u64>, call: &mut Call<'_>) -> Result<&'s [u64]> {
    shape.clear();
    for _ in 0..call.group()? {
        shape.push(call.u64()?);
    }
    Ok(shape)
}

/// `2x3`
fn joined(shape: &[u64]) -> String {
    let dims: Vec<_> = shape.iter().map(u64::to_string).collect();
    dims.join("x")
}

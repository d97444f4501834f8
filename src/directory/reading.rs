//! The JSON reader for large texts: one copy of it, called through pointers, because every closure of its own makes another

use crate::{
    json::{Budget, JsonError, JsonString, Reader},
    limits,
};

type Member<'f, 'a> = &'f mut dyn FnMut(&mut Reader<'a>, JsonString<'a>) -> Result<(), JsonError>;
type Element<'f, 'a> = &'f mut dyn FnMut(&mut Reader<'a>) -> Result<(), JsonError>;

/// A whole text that is an object
pub fn object<'a>(text: &'a [u8], member: Member<'_, 'a>) -> Result<(), JsonError> {
    let budget = Budget { depth: limits::JSON_DEPTH, members: limits::DIRECTORY_MEMBERS };
    Reader::read(text, budget, |reader| reader.object(member))
}

/// An object inside
pub fn members<'a>(reader: &mut Reader<'a>, member: Member<'_, 'a>) -> Result<(), JsonError> {
    reader.object(member)
}

/// An array of any length
pub fn array<'a>(reader: &mut Reader<'a>, element: Element<'_, 'a>) -> Result<(), JsonError> {
    reader.array(usize::MAX, element)
}

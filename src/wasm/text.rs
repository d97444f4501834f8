//! What crosses the boundary as JSON text
//!
//! A serializer of one's own: what crosses is plain, and serde_json's is copied for every type of every field, 8 KB in all.

use std::fmt::{self, Display};

use serde::{
    Serialize, Serializer,
    ser::{self, Impossible, SerializeMap, SerializeSeq, SerializeStruct, SerializeTuple},
};

use crate::json::quote;

/// As JSON text; empty, which every reader refuses, for what none of our types is
pub fn text(value: &impl Serialize) -> String {
    let mut out = String::new();
    match value.serialize(Writer(&mut out)) {
        Ok(()) => out,
        Err(Strange) => String::new(),
    }
}

/// Something that is in none of our types
#[derive(Debug)]
pub struct Strange;

impl Display for Strange {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("not to be written")
    }
}

impl std::error::Error for Strange {}

impl ser::Error for Strange {
    fn custom<T: Display>(_: T) -> Self {
        Self
    }
}

type Done = Result<(), Strange>;

struct Writer<'t>(&'t mut String);

/// What stands between brackets
struct Members<'t> {
    out: &'t mut String,
    close: char,
}

impl<'t> Writer<'t> {
    #[inline(never)]
    fn open(self, open: char, close: char) -> Members<'t> {
        self.0.push(open);
        Members { out: self.0, close }
    }

    #[inline(never)]
    fn whole(self, number: u64) {
        self.0.push_str(&number.to_string());
    }
}

impl<'t> Members<'t> {
    /// For the next one, behind what separates it from the one before
    #[inline(never)]
    fn next(&mut self) -> Writer<'_> {
        if !self.out.ends_with(['{', '[']) {
            self.out.push(',');
        }
        Writer(self.out)
    }

    #[inline(never)]
    fn named(&mut self, name: &str) -> Writer<'_> {
        let Writer(out) = self.next();
        quote(name, out);
        out.push(':');
        Writer(out)
    }

    #[inline(never)]
    fn close(self) {
        self.out.push(self.close);
    }
}

impl<'t> Serializer for Writer<'t> {
    type Ok = ();
    type Error = Strange;
    type SerializeSeq = Members<'t>;
    type SerializeTuple = Members<'t>;
    type SerializeTupleStruct = Impossible<(), Strange>;
    type SerializeTupleVariant = Impossible<(), Strange>;
    type SerializeMap = Members<'t>;
    type SerializeStruct = Members<'t>;
    type SerializeStructVariant = Impossible<(), Strange>;

    fn serialize_bool(self, value: bool) -> Done {
        self.0.push_str(if value { "true" } else { "false" });
        Ok(())
    }

    fn serialize_u8(self, value: u8) -> Done {
        self.serialize_u64(value.into())
    }

    fn serialize_u16(self, value: u16) -> Done {
        self.serialize_u64(value.into())
    }

    fn serialize_u32(self, value: u32) -> Done {
        self.serialize_u64(value.into())
    }

    fn serialize_u64(self, value: u64) -> Done {
        self.whole(value);
        Ok(())
    }

    fn serialize_str(self, value: &str) -> Done {
        quote(value, self.0);
        Ok(())
    }

    fn serialize_none(self) -> Done {
        self.serialize_unit()
    }

    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Done {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Done {
        self.0.push_str("null");
        Ok(())
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Done {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: ?Sized + Serialize>(self, _: &'static str, value: &T) -> Done {
        value.serialize(self)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Members<'t>, Strange> {
        Ok(self.open('[', ']'))
    }

    fn serialize_tuple(self, _: usize) -> Result<Members<'t>, Strange> {
        Ok(self.open('[', ']'))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Members<'t>, Strange> {
        Ok(self.open('{', '}'))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Members<'t>, Strange> {
        Ok(self.open('{', '}'))
    }

    fn serialize_i8(self, _: i8) -> Done {
        Err(Strange)
    }

    fn serialize_i16(self, _: i16) -> Done {
        Err(Strange)
    }

    fn serialize_i32(self, _: i32) -> Done {
        Err(Strange)
    }

    fn serialize_i64(self, _: i64) -> Done {
        Err(Strange)
    }

    fn serialize_f32(self, _: f32) -> Done {
        Err(Strange)
    }

    fn serialize_f64(self, _: f64) -> Done {
        Err(Strange)
    }

    fn serialize_char(self, _: char) -> Done {
        Err(Strange)
    }

    fn serialize_bytes(self, _: &[u8]) -> Done {
        Err(Strange)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Done {
        Err(Strange)
    }

    fn serialize_newtype_variant<T: ?Sized + Serialize>(self, _: &'static str, _: u32, _: &'static str, _: &T) -> Done {
        Err(Strange)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, Strange> {
        Err(Strange)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Strange> {
        Err(Strange)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Strange> {
        Err(Strange)
    }
}

impl SerializeSeq for Members<'_> {
    type Ok = ();
    type Error = Strange;

    fn serialize_element<T: ?Sized + Serialize>(&mut self, value: &T) -> Done {
        value.serialize(self.next())
    }

    fn end(self) -> Done {
        self.close();
        Ok(())
    }
}

impl SerializeTuple for Members<'_> {
    type Ok = ();
    type Error = Strange;

    fn serialize_element<T: ?Sized + Serialize>(&mut self, value: &T) -> Done {
        value.serialize(self.next())
    }

    fn end(self) -> Done {
        self.close();
        Ok(())
    }
}

impl SerializeMap for Members<'_> {
    type Ok = ();
    type Error = Strange;

    fn serialize_key<T: ?Sized + Serialize>(&mut self, key: &T) -> Done {
        key.serialize(self.next())
    }

    fn serialize_value<T: ?Sized + Serialize>(&mut self, value: &T) -> Done {
        self.out.push(':');
        value.serialize(Writer(self.out))
    }

    fn end(self) -> Done {
        self.close();
        Ok(())
    }
}

impl SerializeStruct for Members<'_> {
    type Ok = ();
    type Error = Strange;

    fn serialize_field<T: ?Sized + Serialize>(&mut self, name: &'static str, value: &T) -> Done {
        value.serialize(self.named(name))
    }

    fn end(self) -> Done {
        self.close();
        Ok(())
    }
}

//! From values to text, where claims are not as they were signed. Numbers stay as they were
//! written.

use super::{Object, Value};

impl Object<'_> {
    /// The object as JSON. Numbers are written as they were.
    pub(crate) fn to_json(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) {
        let mut between = '{';
        for (name, value) in self.members() {
            text.push(between);
            write_string(name, text);
            text.push(':');
            value.write(text);
            between = ',';
        }
        text.push_str(if self.members().next().is_none() { "{}" } else { "}" });
    }
}

impl Value<'_> {
    /// Writes the value behind what is in `text`.
    fn write(&self, text: &mut String) {
        match self {
            Value::Null => text.push_str("null"),
            Value::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
            Value::Integer(number) => text.push_str(&number.to_string()),
            Value::OtherNumber(number) => text.push_str(number),
            Value::String(string) => write_string(string, text),
            Value::Array(items) => {
                let mut between = '[';
                for item in items {
                    text.push(between);
                    item.write(text);
                    between = ',';
                }
                text.push_str(if items.is_empty() { "[]" } else { "]" });
            }
            Value::Object(object) => object.write(text),
        }
    }
}

fn write_string(string: &str, text: &mut String) {
    // Nothing in a string can fail to be written.
    text.push_str(&serde_json::to_string(string).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use crate::{json::read_object, limits::Limits};

    #[test]
    fn what_is_written_reads_the_same() {
        for text in [
            "{}",
            r#"{"a":[],"b":[1,-0,1.50,1e3,"\"\\\n\u0001é"],"\"":{"__proto__":null},"c":[true,false,{}],"d":18446744073709551615}"#,
        ] {
            let object = read_object(text.as_bytes(), &Limits::default()).unwrap();
            assert_eq!(object.to_json(), text);
        }
    }
}

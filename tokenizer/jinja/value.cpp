#include "tokenizer/jinja/value.h"

#include "tokenizer/jinja/runtime.h"

namespace hearth::jinja {

Value Value::of_bool(bool b) {
  Value value(Kind::boolean);
  value.data_.boolean = b;
  return value;
}

Value Value::of_int(std::int64_t i) {
  Value value(Kind::integer);
  value.data_.integer = i;
  return value;
}

Value Value::of_float(double f) {
  Value value(Kind::floating);
  value.data_.floating = f;
  return value;
}

Value Value::of_text(std::string_view text, bool markup) {
  Value value(Kind::string);
  value.markup_ = markup;
  value.size_ = text.size();
  value.data_.text = text.data();
  return value;
}

Value Value::of_list(std::span<const Value> items) {
  Value value(Kind::list);
  value.size_ = items.size();
  value.data_.items = items.data();
  return value;
}

Value Value::of_tuple(std::span<const Value> items) {
  Value value = of_list(items);
  value.kind_ = Kind::tuple;
  return value;
}

Value Value::of_dict(const Dict* dict) {
  Value value(Kind::dict);
  value.data_.dict = dict;
  return value;
}

Value Value::of_object(Object* object) {
  Value value(Kind::object);
  value.data_.object = object;
  return value;
}

Value Value::of_undefined(const UndefinedInfo* info) {
  Value value(Kind::undefined);
  value.data_.undefined = info;
  return value;
}

double Value::floating() const {
  return kind_ == Kind::floating ? data_.floating : static_cast<double>(integer());
}

bool Value::same_as(const Value& other) const {
  if (kind_ != other.kind_) return false;
  switch (kind_) {
    case Kind::missing:
    case Kind::none:
      return true;
    case Kind::boolean:
      return data_.boolean == other.data_.boolean;
    case Kind::integer:
      return data_.integer == other.data_.integer;
    case Kind::floating:
      return data_.floating == other.data_.floating;
    case Kind::string:
      return text() == other.text();  // equal literals are one object in Python
    case Kind::list:
    case Kind::tuple:
      return data_.items == other.data_.items && size_ == other.size_;
    case Kind::dict:
      return data_.dict == other.data_.dict;
    case Kind::object:
      return data_.object == other.data_.object;
    case Kind::undefined:
      return data_.undefined == other.data_.undefined;
  }
  return false;
}

std::string Object::repr(Runtime&) const {
  return "<" + std::string(type_name()) + " object>";
}

Value Object::call(Runtime& rt, const Args&) {
  rt.fail("'" + std::string(type_name()) + "' object is not callable");
}

Value Object::attribute(Runtime&, std::string_view) {
  return {};
}

Value Object::item(Runtime&, const Value&) {
  return {};
}

Value Object::slice(Runtime&, const Value&, const Value&, const Value&) {
  return {};
}

std::optional<std::size_t> Object::length(Runtime&) {
  return std::nullopt;
}

Iterator* Object::iterate(Runtime&) {
  return nullptr;
}

bool Object::equals(Runtime&, const Object& other) {
  return this == &other;
}

std::string Iterator::repr(Runtime&) const {
  return "<generator object>";
}

const Value* Args::find(std::string_view name) const {
  for (const Named& argument : named) {
    if (argument.name == name) return &argument.value;
  }
  return nullptr;
}

std::string_view type_name(const Value& value) {
  switch (value.kind()) {
    case Kind::missing:
    case Kind::undefined:
      return "Undefined";
    case Kind::none:
      return "NoneType";
    case Kind::boolean:
      return "bool";
    case Kind::integer:
      return "int";
    case Kind::floating:
      return "float";
    case Kind::string:
      return value.is_markup() ? "Markup" : "str";
    case Kind::list:
      return "list";
    case Kind::tuple:
      return "tuple";
    case Kind::dict:
      return "dict";
    case Kind::object:
      return value.object().type_name();
  }
  return "object";
}

}  // namespace hearth::jinja

// Values of the template language, with the meaning they have in Python.
//
// A Value is small, copied by assignment and owns nothing: text, items and objects live in the
// heap of one rendering (tokenizer/jinja/heap.h), in the template's tree or in the caller's
// context, all of which outlive it. Lists, tuples and dicts never change once made, as in jinja2's
// immutable sandbox; that is why slices and dict views may share them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace hearth::jinja {

class Runtime;
struct Args;
struct Dict;
struct Object;
struct Iterator;
struct UndefinedInfo;

enum class Kind : std::uint8_t {
  missing,    // no value at all: an argument that was not passed; templates never see it
  undefined,  // jinja2's Undefined: prints nothing, but has no attributes
  none,
  boolean,
  integer,
  floating,
  string,
  list,
  tuple,
  dict,
  object,  // everything else: ranges, iterators, namespaces, macros, methods …
};

class Value {
 public:
  constexpr Value() = default;
  static Value none() { return Value(Kind::none); }
  static Value of_bool(bool b);
  static Value of_int(std::int64_t i);
  static Value of_float(double f);
  /// The bytes must outlive the rendering; Runtime::text copies.
  static Value of_text(std::string_view text, bool markup = false);
  static Value of_list(std::span<const Value> items);
  static Value of_tuple(std::span<const Value> items);
  static Value of_dict(const Dict* dict);
  static Value of_object(Object* object);
  static Value of_undefined(const UndefinedInfo* info);

  Kind kind() const { return kind_; }
  bool is(Kind kind) const { return kind_ == kind; }
  bool is_missing() const { return kind_ == Kind::missing; }
  bool is_undefined() const { return kind_ == Kind::undefined; }
  bool is_none() const { return kind_ == Kind::none; }
  bool is_text() const { return kind_ == Kind::string; }
  bool is_sequence() const { return kind_ == Kind::list || kind_ == Kind::tuple; }
  bool is_integral() const { return kind_ == Kind::integer || kind_ == Kind::boolean; }
  bool is_number() const { return is_integral() || kind_ == Kind::floating; }
  /// Text marked as safe by `|safe` or `|escape`, Python's Markup: adding to it escapes.
  bool is_markup() const { return markup_; }

  // Each of these asks for the right kind.
  bool boolean() const { return data_.boolean; }
  std::int64_t integer() const {
    return kind_ == Kind::boolean ? (data_.boolean ? 1 : 0) : data_.integer;
  }
  double floating() const;  // any number
  std::string_view text() const { return {data_.text, size_}; }
  std::span<const Value> items() const { return {data_.items, size_}; }
  const Dict& dict() const { return *data_.dict; }
  Object& object() const { return *data_.object; }
  const UndefinedInfo* undefined_info() const { return data_.undefined; }

  /// Python's `is`: the same object, or the same small value.
  bool same_as(const Value& other) const;

 private:
  explicit constexpr Value(Kind kind) : kind_(kind) {}

  Kind kind_ = Kind::missing;
  bool markup_ = false;
  std::size_t size_ = 0;  // bytes of text, items of a list or tuple
  union {
    bool boolean;
    std::int64_t integer;
    double floating;
    const char* text;
    const Value* items;
    const Dict* dict;
    Object* object;
    const UndefinedInfo* undefined;
  } data_ = {.integer = 0};
};

struct Entry {
  Value key;
  Value value;
};

/// Keys keep the order in which they were first set. `slots` is a hash table of entry numbers + 1
/// (0 is free) when there are more than a few entries.
struct Dict {
  std::span<const Entry> entries;
  std::span<const std::uint32_t> slots;
};

/// Why a value is undefined. The words are put together only when somebody uses the value.
struct UndefinedInfo {
  std::string_view message;  // if not empty, this is all there is to say
  std::string_view owner;  // type of the value that lacks the attribute or item; empty: a variable
  Value name;              // the name or key that was asked for

  std::string describe(Runtime& rt) const;
};

/// A value with behaviour. Defaults say "this type cannot do that".
/// Objects live in the rendering's heap and are never destroyed one by one.
struct Object {
  virtual std::string_view type_name() const = 0;  // as Python would call it
  virtual std::string repr(Runtime& rt) const;
  virtual bool callable() const { return false; }
  virtual Value call(Runtime& rt, const Args& args);
  virtual Value attribute(Runtime& rt, std::string_view name);  // missing if there is none
  virtual Value item(Runtime& rt, const Value& key);            // missing if there is none
  virtual Value slice(Runtime& rt, const Value& start, const Value& stop, const Value& step);
  virtual bool has_items() const { return false; }         // supports x[i]
  virtual std::optional<std::size_t> length(Runtime& rt);  // nullopt: has no len()
  virtual Iterator* iterate(Runtime& rt);                  // nullptr: cannot be iterated
  virtual bool reversible() const { return false; }
  virtual bool equals(Runtime& rt, const Object& other);

 protected:
  ~Object() = default;
};

/// A one-shot sequence of values; generators are visible to templates as such.
struct Iterator : Object {
  /// Stores the next value in `out`; false at the end.
  virtual bool next(Runtime& rt, Value& out) = 0;

  std::string_view type_name() const override { return "generator"; }
  std::string repr(Runtime& rt) const override;
  Iterator* iterate(Runtime&) override { return this; }

 protected:
  ~Iterator() = default;
};

struct Named {
  std::string_view name;
  Value value;
};

/// The arguments of a call, as written.
struct Args {
  std::span<const Value> positional;
  std::span<const Named> named;

  const Value* find(std::string_view name) const;
};

/// "int", "str", "dict", "NoneType" …: Python's name of the value's type, for messages.
std::string_view type_name(const Value& value);

}  // namespace hearth::jinja

#include "engine/convert/sentencepiece_model.h"

#include <cstring>

#include "base/error.h"

namespace hearth {
namespace {

// Protocol buffers (https://protobuf.dev/programming-guides/encoding): a field is a number and a
// kind, then a variable-length number, 8 bytes, a length and bytes, or 4 bytes.
constexpr std::uint64_t kNumber = 0, kEight = 1, kBytes = 2, kFour = 5;

struct Field {
  std::uint64_t number = 0;
  std::uint64_t value = 0;      // of kNumber and kFour
  std::string_view bytes = {};  // of kBytes
};

class Fields {
 public:
  Fields(std::string_view bytes, const std::string& name) : rest_(bytes), name_(name) {}

  bool next(Field& field) {
    if (rest_.empty()) return false;
    const std::uint64_t tag = number();
    field = {.number = tag >> 3};
    const std::uint64_t kind = tag & 7;
    if (kind == kNumber) {
      field.value = number();
    } else if (kind == kBytes) {
      field.bytes = take(number());
    } else if (kind == kFour || kind == kEight) {
      const std::string_view bytes = take(kind == kFour ? 4 : 8);
      std::memcpy(&field.value, bytes.data(), bytes.size());
    } else {
      refuse();
    }
    return true;
  }

 private:
  [[noreturn]] void refuse() const {
    throw Error({.where = name_,
                 .what = "is not a SentencePiece model",
                 .expected = "the tokenizer.model of a checkpoint",
                 .got = {}});
  }

  std::uint64_t number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const auto byte = static_cast<unsigned char>(take(1).front());
      value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    refuse();
  }

  std::string_view take(std::uint64_t n) {
    if (n > rest_.size()) refuse();
    const std::string_view part = rest_.substr(0, n);
    rest_.remove_prefix(n);
    return part;
  }

  std::string_view rest_;
  const std::string& name_;
};

SentencePiece read_piece(std::string_view bytes, const std::string& name) {
  constexpr std::uint64_t kText = 1, kScore = 2, kType = 3;
  SentencePiece piece;
  Fields fields(bytes, name);
  for (Field field; fields.next(field);) {
    if (field.number == kText) piece.text = field.bytes;
    if (field.number == kType) piece.type = static_cast<std::int32_t>(field.value & 0xFF);
    if (field.number == kScore) std::memcpy(&piece.score, &field.value, sizeof piece.score);
  }
  return piece;
}

}  // namespace

SentencePieceModel parse_sentencepiece(std::string_view bytes, const std::string& name) {
  constexpr std::uint64_t kPieces = 1, kNormalizer = 3, kAddDummyPrefix = 3;
  SentencePieceModel model;
  Fields fields(bytes, name);
  for (Field field; fields.next(field);) {
    if (field.number == kPieces) model.pieces.push_back(read_piece(field.bytes, name));
    if (field.number != kNormalizer) continue;
    Fields settings(field.bytes, name);
    for (Field setting; settings.next(setting);) {
      if (setting.number == kAddDummyPrefix) model.add_dummy_prefix = setting.value != 0;
    }
  }
  if (model.pieces.empty()) {
    throw Error({.where = name, .what = "has no pieces", .expected = {}, .got = {}});
  }
  return model;
}

}  // namespace hearth

#include "gguf/parse.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <numeric>

#include "base/utf8.h"
#include "gguf/keys.h"
#include "gguf/wire.h"

namespace hearth::gguf {
namespace {

constexpr std::uint32_t kMinVersion = 2;
constexpr std::uint32_t kMaxVersion = 3;
constexpr std::uint64_t kMaxKeyBytes = 65535;
constexpr std::uint64_t kMaxTensorNameBytes = 64;
constexpr std::uint32_t kMaxDims = 4;
constexpr std::uint64_t kMaxBytes = std::numeric_limits<std::int64_t>::max();

// The least bytes that one of them takes, to check counts before anything is allocated.
constexpr std::uint64_t kMinEntryBytes = 8 + 1 + 4 + 1;       // key, type, a byte
constexpr std::uint64_t kMinTensorBytes = 8 + 1 + 4 + 4 + 8;  // name, n_dims, type, offset
constexpr std::uint64_t kStringHead = sizeof(std::uint64_t);
constexpr std::uint64_t kArrayHead = sizeof(std::uint32_t) + sizeof(std::uint64_t);

// Beginnings of files that people mistake for GGUF.
struct Lookalike {
  std::string_view begin, what;
  std::size_t offset = 0;
};
constexpr Lookalike kLookalikes[] = {
    {"lmgg", "a GGML file, the format before GGUF; get the model as GGUF"},
    {"fmgg", "a GGMF file, the format before GGUF; get the model as GGUF"},
    {"tjgg", "a GGJT file, the format before GGUF; get the model as GGUF"},
    {"PK\x03\x04", "a zip archive or a PyTorch checkpoint"},
    {"version https://git-lfs", "a Git LFS pointer; fetch the file itself with `git lfs pull`"},
    {"<!DOCTYPE", "a web page; the download went wrong"},
    {"<!doctype", "a web page; the download went wrong"},
    {"<html", "a web page; the download went wrong"},
    {"{\"", "a safetensors checkpoint", 8},
};

bool multiply(std::uint64_t a, std::uint64_t b, std::uint64_t& product) {
  return !__builtin_mul_overflow(a, b, &product) && product <= kMaxBytes;
}

std::uint64_t align_up(std::uint64_t offset, std::uint64_t alignment) {
  return (offset + alignment - 1) / alignment * alignment;
}

// Bytes of a tensor whose shape and type were checked.
std::uint64_t data_bytes(const Tensor& tensor) {
  return tensor.rows() * row_bytes(quant_type_info(tensor.type), tensor.columns());
}

std::string dims_text(const std::array<std::uint64_t, 4>& dims, std::uint32_t n) {
  return fmt::format("[{}]", fmt::join(dims.begin(), dims.begin() + n, ", "));
}

std::string bytes_left(std::uint64_t n) {
  return fmt::format("{} bytes left in the file", n);
}

class Parser {
 public:
  Parser(std::span<const std::byte> bytes, std::string_view owner, std::uint32_t part,
         const ViolationFn& sink)
      : bytes_(bytes), cursor_(bytes), owner_(owner), part_(part), sink_(sink) {}

  Parsed run() {
    if (!header() || !metadata()) return std::move(parsed_);
    parsed_.metadata_complete = true;
    find_duplicate_keys();
    find_alignment();
    if (!tensor_table()) return std::move(parsed_);
    report_duplicates(tensor_names_, Among::one_file, Rule::tensor_name_duplicate, "tensor", sink_);
    place_tensors();
    find_overlaps();
    return std::move(parsed_);
  }

 private:
  bool violation(Rule rule, std::uint64_t offset, std::string what, std::string expected = {},
                 std::string got = {}) {
    sink_({owner_, rule, offset, std::move(what), std::move(expected), std::move(got)});
    return false;
  }

  // Reads a number; reports what is missing if the file ends before it.
  template <typename T>
  bool number(T& value, std::string_view what, std::string_view of = {}) {
    if (cursor_.read(value)) return true;
    return violation(Rule::truncated, cursor_.position(),
                     fmt::format("the file ends in {}{}", what, of),
                     fmt::format("{} bytes", sizeof(T)), bytes_left(cursor_.remaining()));
  }

  bool count(std::uint64_t& value, std::uint64_t min_bytes, std::string_view what,
             std::string_view of = {}) {
    const std::uint64_t at = cursor_.position();
    if (!number(value, what, of)) return false;
    if (value <= cursor_.remaining() / min_bytes) return true;
    return violation(Rule::count, at, fmt::format("{}{} is too large for the file", what, of),
                     fmt::format("at most {}", cursor_.remaining() / min_bytes),
                     fmt::format("{}", value));
  }

  bool string(std::string_view& text, std::string_view field) {
    const std::uint64_t at = cursor_.position();
    std::uint64_t length = 0;
    std::span<const std::byte> taken;
    if (!number(length, field)) return false;
    if (!cursor_.take(length, taken))
      return violation(Rule::string_length, at, fmt::format("{} ends outside the file", field),
                       fmt::format("a length of at most {} bytes", cursor_.remaining()),
                       fmt::format("{}", length));
    text = as_text(taken);
    return true;
  }

  void check_utf8(Rule rule, std::uint64_t at, std::string_view text, std::string_view field) {
    const std::size_t bad = utf8::first_malformed(text);
    if (bad == text.size()) return;
    violation(rule, at, fmt::format("{} is not UTF-8 at its byte {}", field, bad), "UTF-8 text",
              quoted(text));
  }

  bool header();
  bool metadata();
  bool entry(std::uint64_t i, std::uint64_t count);
  bool array(std::string_view field, int depth, ValueType& element, std::uint64_t& n);
  bool elements(ValueType type, std::uint64_t n, std::string_view field, int depth);
  bool value_type(ValueType& type, std::string_view field);
  void find_duplicate_keys();
  void find_alignment();
  bool tensor_table();
  bool tensor_row(std::uint64_t i, std::uint64_t count);
  bool check_tensor(const Tensor& tensor, std::uint32_t raw_type);
  void place_tensors();
  bool place(Tensor& tensor, std::uint64_t at, std::uint64_t room);
  void find_overlaps();

  std::span<const std::byte> bytes_;
  Cursor cursor_;
  std::string_view owner_;
  std::uint32_t part_;
  const ViolationFn& sink_;
  std::uint64_t n_tensors_ = 0;
  std::uint64_t n_entries_ = 0;
  bool any_bytes_ = false;  // strings of the value being read need not be UTF-8
  std::vector<NameAt> tensor_names_;
  Parsed parsed_;
};

bool Parser::header() {
  std::span<const std::byte> magic;
  const std::string_view start = as_text(bytes_.first(std::min<std::size_t>(bytes_.size(), 32)));
  if (bytes_.empty())
    return violation(Rule::magic, 0, "the file is empty", "a GGUF file", "0 bytes");
  for (const Lookalike& other : kLookalikes) {
    if (start.substr(std::min(start.size(), other.offset)).starts_with(other.begin))
      return violation(Rule::magic, 0, "this is not a GGUF file", "the bytes 'GGUF' at the start",
                       std::string(other.what));
  }
  if (!cursor_.take(4, magic) || as_text(magic) != "GGUF")
    return violation(Rule::magic, 0, "this is not a GGUF file", "the bytes 'GGUF' at the start",
                     quoted(start.substr(0, 4)));
  const std::uint64_t at = cursor_.position();
  if (!number(parsed_.version, "the version")) return false;
  const std::uint32_t version = parsed_.version;
  if ((version & 0xFFFF) == 0 && version != 0)
    return violation(Rule::byte_order, at, "this is a big-endian GGUF file, which cannot be read",
                     "a little-endian file", fmt::format("version bytes 0x{:08x}", version));
  if (version < kMinVersion || version > kMaxVersion)
    return violation(Rule::version, at,
                     version == 1 ? "GGUF version 1 is no longer read; get or convert a newer file"
                                  : "unknown GGUF version",
                     fmt::format("version {} or {}", kMinVersion, kMaxVersion),
                     fmt::format("{}", version));
  const std::uint64_t counts_at = cursor_.position();
  if (!count(n_tensors_, kMinTensorBytes, "the number of tensors") ||
      !count(n_entries_, kMinEntryBytes, "the number of metadata entries"))
    return false;
  // Each fits alone; together they must, too.
  if (n_tensors_ * kMinTensorBytes + n_entries_ * kMinEntryBytes <= cursor_.remaining())
    return true;
  return violation(Rule::count, counts_at, "tensors and metadata entries do not fit the file",
                   fmt::format("at most {} bytes of them", cursor_.remaining()),
                   fmt::format("{} tensors and {} entries", n_tensors_, n_entries_));
}

bool Parser::metadata() {
  parsed_.metadata.reserve(n_entries_);
  parsed_.metadata_offsets.reserve(n_entries_);
  for (std::uint64_t i = 0; i < n_entries_; ++i) {
    if (!entry(i, n_entries_)) return false;
  }
  return true;
}

bool Parser::entry(std::uint64_t i, std::uint64_t count) {
  const std::uint64_t at = cursor_.position();
  std::string_view key;
  if (!string(key, fmt::format("the key of metadata entry {} of {}", i + 1, count))) return false;
  const std::string field = "metadata key " + quoted(key);
  if (key.empty() || key.size() > kMaxKeyBytes)
    violation(Rule::key_length, at, field + " has a bad length",
              fmt::format("1 to {} bytes", kMaxKeyBytes), fmt::format("{}", key.size()));
  check_utf8(Rule::key_utf8, at, key, field);
  if (std::any_of(key.begin(), key.end(),
                  [](char c) { return static_cast<unsigned char>(c) > 127; }))
    violation(Rule::key_ascii, at, field + " is not ASCII", "ASCII", quoted(key));
  any_bytes_ = key == keys::kTokens || key == keys::kMerges;
  ValueType type{};
  if (!value_type(type, field)) return false;
  ValueType element = type;
  std::uint64_t n = 1;
  if (type == ValueType::array && !array(field, 1, element, n)) return false;
  const std::uint64_t begin = cursor_.position();
  if (!elements(element, n, field, type == ValueType::array ? 1 : 0)) return false;
  parsed_.metadata.push_back({key, Value(owner_, key, type, element, n, cursor_.since(begin))});
  parsed_.metadata_offsets.push_back(at);
  return true;
}

bool Parser::value_type(ValueType& type, std::string_view field) {
  const std::uint64_t at = cursor_.position();
  std::uint32_t raw = 0;
  if (!number(raw, "the type of ", field)) return false;
  type = static_cast<ValueType>(raw);
  if (is_value_type(raw)) return true;
  return violation(Rule::value_type, at, fmt::format("{} has an unknown type", field),
                   "a type from 0 to 12", fmt::format("{}", raw));
}

// The head of an array: element type and count, which must fit the rest of the file.
bool Parser::array(std::string_view field, int depth, ValueType& element, std::uint64_t& n) {
  const std::uint64_t at = cursor_.position();
  if (depth > kMaxArrayDepth)
    return violation(Rule::array_depth, at, fmt::format("{} nests arrays too deep", field),
                     fmt::format("at most {} levels", kMaxArrayDepth), "more");
  if (!value_type(element, field)) return false;
  const std::size_t size = fixed_size(element);
  const std::uint64_t least = size ? size : element == ValueType::string ? kStringHead : kArrayHead;
  return count(n, least, "the number of elements of ", field);
}

bool Parser::elements(ValueType type, std::uint64_t n, std::string_view field, int depth) {
  if (type == ValueType::array) {
    for (std::uint64_t i = 0; i < n; ++i) {
      ValueType inner{};
      std::uint64_t inner_n = 0;
      if (!array(field, depth + 1, inner, inner_n) || !elements(inner, inner_n, field, depth + 1))
        return false;
    }
    return true;
  }
  if (type == ValueType::string) {
    for (std::uint64_t i = 0; i < n; ++i) {
      const std::uint64_t at = cursor_.position();
      std::string_view text;
      if (!string(text, field)) return false;
      if (!any_bytes_) check_utf8(Rule::value_utf8, at, text, field);
    }
    return true;
  }
  const std::uint64_t at = cursor_.position();
  std::span<const std::byte> taken;
  if (!cursor_.take(n * fixed_size(type), taken))
    return violation(Rule::truncated, at, fmt::format("the file ends in the value of {}", field),
                     fmt::format("{} bytes", n * fixed_size(type)),
                     bytes_left(cursor_.remaining()));
  if (type != ValueType::boolean) return true;
  for (std::uint64_t i = 0; i < n; ++i) {
    const auto byte = static_cast<unsigned>(taken[i]);
    if (byte > 1)
      violation(Rule::value_bool, at + i, fmt::format("{} holds a bad bool", field), "0 or 1",
                fmt::format("{}", byte));
  }
  return true;
}

void Parser::find_duplicate_keys() {
  std::vector<NameAt> names;
  names.reserve(parsed_.metadata.size());
  for (std::size_t i = 0; i < parsed_.metadata.size(); ++i)
    names.push_back({parsed_.metadata[i].key, owner_, parsed_.metadata_offsets[i]});
  report_duplicates(names, Among::one_file, Rule::key_duplicate, "metadata key", sink_);
}

void Parser::find_alignment() {
  for (std::size_t i = 0; i < parsed_.metadata.size(); ++i) {
    const Entry& entry = parsed_.metadata[i];
    if (entry.key != keys::kAlignment) continue;
    const std::uint64_t at = parsed_.metadata_offsets[i];
    if (entry.value.type() != ValueType::u32 || !std::has_single_bit(entry.value.as_uint())) {
      violation(Rule::alignment, at, "general.alignment is not usable",
                "a u32 that is a power of two", entry.value.describe());
      continue;
    }
    parsed_.alignment = entry.value.as_uint();
    if (parsed_.alignment % 8 != 0)
      violation(Rule::alignment_multiple, at, "general.alignment is unusually small",
                "a multiple of 8", entry.value.describe());
  }
}

bool Parser::tensor_table() {
  parsed_.tensors.reserve(n_tensors_);
  parsed_.tensor_offsets.reserve(n_tensors_);
  tensor_names_.reserve(n_tensors_);
  for (std::uint64_t i = 0; i < n_tensors_; ++i) {
    if (!tensor_row(i, n_tensors_)) return false;
  }
  parsed_.data_offset = align_up(cursor_.position(), parsed_.alignment);
  return true;
}

bool Parser::tensor_row(std::uint64_t i, std::uint64_t count) {
  const std::uint64_t at = cursor_.position();
  Tensor tensor{.name = {},
                .type = QuantType::F32,
                .dims = {1, 1, 1, 1},
                .n_dims = 0,
                .offset = 0,
                .part = part_,
                .data = {}};
  if (!string(tensor.name, fmt::format("the name of tensor {} of {}", i + 1, count))) return false;
  const std::string field = "tensor " + quoted(tensor.name);
  if (tensor.name.empty() || tensor.name.size() > kMaxTensorNameBytes)
    violation(Rule::tensor_name_length, at, field + " has a name of a bad length",
              fmt::format("1 to {} bytes", kMaxTensorNameBytes),
              fmt::format("{}", tensor.name.size()));
  check_utf8(Rule::tensor_name_utf8, at, tensor.name, "the name of " + field);
  const std::uint64_t dims_at = cursor_.position();
  if (!number(tensor.n_dims, "the number of dimensions of ", field)) return false;
  if (tensor.n_dims > kMaxDims)
    return violation(Rule::tensor_dims, dims_at, field + " has too many dimensions",
                     fmt::format("at most {}", kMaxDims), fmt::format("{}", tensor.n_dims));
  for (std::uint32_t d = 0; d < tensor.n_dims; ++d) {
    if (!number(tensor.dims[d], "the dimensions of ", field)) return false;
  }
  std::uint32_t raw_type = 0;
  if (!number(raw_type, "the type of ", field)) return false;
  if (!number(tensor.offset, "the offset of ", field)) return false;
  tensor_names_.push_back({tensor.name, owner_, at});
  if (check_tensor(tensor, raw_type)) {
    tensor.type = static_cast<QuantType>(raw_type);
    parsed_.tensors.push_back(tensor);
    parsed_.tensor_offsets.push_back(at);
  }
  return true;
}

// Whether the tensor's shape and type make sense, so that data_bytes() has a meaning.
bool Parser::check_tensor(const Tensor& tensor, std::uint32_t raw_type) {
  const std::uint64_t at = tensor_names_.back().offset;
  const std::string field = "tensor " + quoted(tensor.name);
  const std::string shape = dims_text(tensor.dims, tensor.n_dims);
  if (std::count(tensor.dims.begin(), tensor.dims.end(), 0u) != 0)
    return violation(Rule::tensor_dims, at, field + " has a dimension of 0",
                     "every dimension at least 1", shape);
  const QuantTypeInfo* info = find_quant_type(raw_type);
  if (!info)
    return violation(Rule::tensor_type, at, field + " has an unknown type",
                     "a type of the GGUF format that this version knows",
                     fmt::format("{}", raw_type));
  std::uint64_t elements = 1;
  std::uint64_t bytes = 0;
  for (const std::uint64_t d : tensor.dims) {
    if (!multiply(elements, d, elements))
      return violation(Rule::tensor_size, at, field + " has too many elements", "less than 2^63",
                       shape);
  }
  if (tensor.columns() % info->block_elements != 0)
    return violation(Rule::tensor_row, at, fmt::format("{} cannot be {}", field, info->name),
                     fmt::format("rows of a multiple of {} elements", info->block_elements),
                     fmt::format("{}", tensor.columns()));
  if (!multiply(elements / info->block_elements, info->block_bytes, bytes))
    return violation(Rule::tensor_size, at, field + " has too many bytes", "less than 2^63", shape);
  return true;
}

// Turns offsets into the data section into offsets into the file, and finds each tensor's bytes.
// Those that have none are dropped.
void Parser::place_tensors() {
  const std::uint64_t room =
      bytes_.size() > parsed_.data_offset ? bytes_.size() - parsed_.data_offset : 0;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < parsed_.tensors.size(); ++i) {
    Tensor tensor = parsed_.tensors[i];
    const std::uint64_t at = parsed_.tensor_offsets[i];
    if (!place(tensor, at, room)) continue;
    parsed_.tensors[kept] = tensor;
    parsed_.tensor_offsets[kept++] = at;
  }
  parsed_.tensors.resize(kept, Tensor{});
  parsed_.tensor_offsets.resize(kept);
}

bool Parser::place(Tensor& tensor, std::uint64_t at, std::uint64_t room) {
  const std::uint64_t bytes = data_bytes(tensor);
  if (tensor.offset % parsed_.alignment != 0)
    violation(Rule::tensor_offset, at, fmt::format("tensor {} is misaligned", quoted(tensor.name)),
              fmt::format("an offset that is a multiple of {}", parsed_.alignment),
              fmt::format("{}", tensor.offset));
  if (tensor.offset > room || bytes > room - tensor.offset)
    return violation(Rule::tensor_bounds, at,
                     fmt::format("tensor {} lies outside the file", quoted(tensor.name)),
                     fmt::format("{} bytes inside the {} bytes of tensor data; is the download "
                                 "complete?",
                                 bytes, room),
                     fmt::format("offset {}", tensor.offset));
  tensor.offset += parsed_.data_offset;
  tensor.data = bytes_.subspan(tensor.offset, bytes);
  return true;
}

void Parser::find_overlaps() {
  const std::vector<Tensor>& tensors = parsed_.tensors;
  std::vector<std::size_t> order(tensors.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::pair(tensors[a].offset, a) < std::pair(tensors[b].offset, b);
  });
  for (std::size_t i = 1, furthest = 0; i < order.size(); ++i) {
    const Tensor& before = tensors[order[furthest]];
    const Tensor& here = tensors[order[i]];
    const std::uint64_t end = before.offset + before.data.size();
    if (here.offset < end)
      violation(Rule::tensor_overlap, parsed_.tensor_offsets[order[i]],
                fmt::format("tensor {} overlaps tensor {}", quoted(here.name), quoted(before.name)),
                fmt::format("data at offset {} of the file or later", end),
                fmt::format("{}", here.offset));
    if (here.offset + here.data.size() > end) furthest = i;
  }
}

}  // namespace

void report_duplicates(std::vector<NameAt>& names, Among among, Rule rule, std::string_view kind,
                       const ViolationFn& sink) {
  std::stable_sort(names.begin(), names.end(),
                   [](const NameAt& a, const NameAt& b) { return a.name < b.name; });
  for (std::size_t i = 1; i < names.size(); ++i) {
    const NameAt& first = names[i - 1];
    const NameAt& second = names[i];
    const Among here = first.file == second.file ? Among::one_file : Among::several_files;
    if (first.name != second.name || here != among) continue;
    const std::string where =
        here == Among::one_file ? std::string() : fmt::format(" of {}", first.file);
    sink({second.file, rule, second.offset,
          fmt::format("{} {} stands twice", kind, quoted(second.name)), "each once",
          fmt::format("another at offset {}{}", first.offset, where)});
  }
}

Parsed parse(std::span<const std::byte> bytes, std::string_view owner, std::uint32_t part,
             const ViolationFn& sink) {
  return Parser(bytes, owner, part, sink).run();
}

}  // namespace hearth::gguf

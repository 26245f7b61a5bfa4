#include "engine/retrieval/segment_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "base/hash64.h"
#include "engine/retrieval/index_file.h"
#include "engine/retrieval/varint.h"
#include "engine/retrieval/words.h"
#include "kernels/half.h"

namespace hearth::retrieval {
namespace {

template <class Element>
void append(std::string& out, const Element& element) {
  out.append(reinterpret_cast<const char*>(&element), sizeof element);
}

template <class Element>
void append_all(std::string& out, const std::vector<Element>& elements) {
  out.append(reinterpret_cast<const char*>(elements.data()), elements.size() * sizeof(Element));
}

void append_text(std::string& out, std::string_view text) {
  append_varint(out, text.size());
  out += text;
}

std::uint32_t low_hash(std::string_view bytes) {
  return static_cast<std::uint32_t>(hash64(bytes));
}

bool take_text(std::span<const std::byte>& bytes, std::string_view& text) {
  std::uint64_t size = 0;
  if (!take_varint(bytes, size) || size > bytes.size()) return false;
  text = {reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(size)};
  bytes = bytes.subspan(static_cast<std::size_t>(size));
  return true;
}

/// Of length 1, or zero if it is.
std::vector<float> of_length_1(std::span<const float> vector) {
  double square = 0.0;
  for (const float v : vector) square += static_cast<double>(v) * static_cast<double>(v);
  const double factor = square > 0.0 ? 1.0 / std::sqrt(square) : 0.0;
  std::vector<float> out;
  for (const float v : vector) out.push_back(static_cast<float>(static_cast<double>(v) * factor));
  return out;
}

}  // namespace

void check_vector(const VectorLayout& layout, const Record& record) {
  if (record.vector.size() != layout.dimension) {
    throw Error({.where = record.key,
                 .what = "the vector is not as long as those of the index",
                 .expected = fmt::format("{}", layout.dimension),
                 .got = fmt::format("{}", record.vector.size())});
  }
  constexpr float kMostHalf = 65504.0F;
  const bool is_half = layout.storage == Storage::f16 && layout.metric != Metric::cosine;
  for (const float v : record.vector) {
    if (std::isfinite(v) && (!is_half || std::abs(v) <= kMostHalf)) continue;
    throw Error({.where = record.key,
                 .what = "the vector cannot be stored",
                 .expected = "finite numbers",
                 .got = fmt::format("{}", v)});
  }
}

std::string record_bytes(const Record& record) {
  std::string out;
  append_text(out, record.key);
  append_text(out, record.text);
  append_varint(out, record.facts.size());
  for (const auto& [name, value] : record.facts) {
    append_text(out, name);
    append_text(out, value);
  }
  append(out, low_hash(out));
  return out;
}

bool read_record(std::span<const std::byte> bytes, RecordView& record) {
  std::uint32_t hash = 0;
  if (bytes.size() < sizeof hash) return false;
  std::memcpy(&hash, bytes.data() + bytes.size() - sizeof hash, sizeof hash);
  bytes = bytes.first(bytes.size() - sizeof hash);
  if (static_cast<std::uint32_t>(hash64(bytes)) != hash) return false;
  std::uint64_t n_facts = 0;
  if (!take_text(bytes, record.key) || !take_text(bytes, record.text) ||
      !take_varint(bytes, n_facts) || n_facts > bytes.size()) {
    return false;
  }
  record.facts.clear();
  for (std::uint64_t i = 0; i < n_facts; ++i) {
    std::string_view name, value;
    if (!take_text(bytes, name) || !take_text(bytes, value)) return false;
    record.facts.emplace_back(name, value);
  }
  return bytes.empty();
}

void SegmentWriter::add(const Record& record) {
  HEARTH_CHECK(record.vector.size() == layout_.dimension && n_records() < kMostRecords - 1);
  section(SectionKind::records) += record_bytes(record);
  offsets_.push_back(section(SectionKind::records).size());
  keys_.push_back({.hash = hash64(record.key), .record = n_records()});
  add_terms(record.text);
  if (layout_.metric == Metric::cosine) {
    add_vector(of_length_1(record.vector));
  } else {
    add_vector(record.vector);
  }
}

void SegmentWriter::add_vector(std::span<const float> vector) {
  if (vector.empty()) return;
  std::string& rows = section(SectionKind::vectors);
  const std::string_view bytes(reinterpret_cast<const char*>(vector.data()), vector.size_bytes());
  if (layout_.metric == Metric::l2) {
    double square = 0.0;
    for (const float v : vector) square += static_cast<double>(v) * static_cast<double>(v);
    append(section(SectionKind::norms), static_cast<float>(square));
  }
  if (layout_.storage == Storage::f32) {
    rows += bytes;
  } else if (layout_.storage == Storage::f16) {
    for (const float v : vector) append(rows, kernels::f32_to_f16(v));
  } else {
    float most = 0.0F;
    for (const float v : vector) most = std::max(most, std::abs(v));
    const float scale = most / 127.0F;
    for (const float v : vector) {
      const float code = scale > 0.0F ? std::nearbyint(v / scale) : 0.0F;
      append(rows, static_cast<std::int8_t>(std::clamp(code, -127.0F, 127.0F)));
    }
    append(section(SectionKind::scales), scale);
    section(SectionKind::exact) += bytes;
    append(section(SectionKind::exact_hashes), low_hash(bytes));
  }
}

void SegmentWriter::add_terms(const std::string& text) {
  const auto record = static_cast<std::uint32_t>(n_records());
  const std::vector<std::string> terms = terms_of(text);
  lengths_.push_back(static_cast<std::uint32_t>(terms.size()));
  for (const std::string& term : terms) {
    std::vector<Posting>& list = postings_[term];
    if (list.empty() || list.back().record != record) list.push_back({record, 0});
    ++list.back().count;
  }
}

/// Terms in order; for each, the gap from the record before it and the count, less 1.
void SegmentWriter::add_postings() {
  std::string& table = section(SectionKind::terms);
  std::string& texts = section(SectionKind::term_texts);
  std::string& lists = section(SectionKind::postings);
  for (const auto& [term, list] : postings_) {
    append(table, TermEntry{.text_at = texts.size(),
                            .text_bytes = static_cast<std::uint32_t>(term.size()),
                            .n_records = static_cast<std::uint32_t>(list.size()),
                            .postings_at = lists.size()});
    texts += term;
    std::uint32_t before = 0;
    for (const Posting& posting : list) {
      append_varint(lists, posting.record - before);
      append_varint(lists, posting.count - 1);
      before = posting.record;
    }
  }
}

std::vector<std::byte> SegmentWriter::finish(std::uint64_t at, std::uint64_t first_record) {
  std::sort(keys_.begin(), keys_.end(), [](const KeyEntry& a, const KeyEntry& b) {
    return a.hash != b.hash ? a.hash < b.hash : a.record < b.record;
  });
  std::sort(tombstones_.begin(), tombstones_.end());
  append_all(section(SectionKind::offsets), offsets_);
  append_all(section(SectionKind::keys), keys_);
  append_all(section(SectionKind::lengths), lengths_);
  append_all(section(SectionKind::tombstones), tombstones_);
  add_postings();

  SegmentHead head{};
  head.n_records = n_records();
  head.first_record = first_record;
  for (const std::uint32_t length : lengths_) head.n_words += length;
  const auto aligned = [](std::uint64_t n) {
    return (n + kAlignment - 1) / kAlignment * kAlignment;
  };
  std::uint64_t used = aligned(sizeof head);
  for (std::size_t i = 0; i < kSections; ++i) {
    head.sections[i] = {
        .at = at + used, .bytes = sections_[i].size(), .hash = hash64(sections_[i])};
    used = aligned(used + sections_[i].size());
  }
  head.hash = head_hash(head);
  std::vector<std::byte> out(used);
  std::memcpy(out.data(), &head, sizeof head);
  for (std::size_t i = 0; i < kSections; ++i) {
    if (sections_[i].empty()) continue;
    std::memcpy(out.data() + (head.sections[i].at - at), sections_[i].data(), sections_[i].size());
  }
  return out;
}

}  // namespace hearth::retrieval

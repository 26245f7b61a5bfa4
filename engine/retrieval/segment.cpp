#include "engine/retrieval/segment.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/hash64.h"
#include "engine/retrieval/varint.h"
#include "kernels/half.h"

namespace hearth::retrieval {

Segment::Segment(const IndexFile& file, const DirectoryEntry& entry, VectorLayout layout,
                 std::uint64_t first_record)
    : file_(file), layout_(layout) {
  const std::span<const std::byte> all = file.bytes();
  if (entry.at % kAlignment != 0 || entry.at < kHeadBytes || entry.at > all.size() ||
      all.size() - entry.at < sizeof head_) {
    damaged("a segment lies outside the file");
  }
  std::memcpy(&head_, all.data() + entry.at, sizeof head_);
  if (head_.hash != head_hash(head_)) damaged("the head of a segment");
  if (head_.n_records != entry.n_records || head_.n_records >= kMostRecords ||
      head_.first_record != first_record) {
    damaged("the count of a segment's records");
  }
  check_sections();
}

void Segment::damaged(std::string_view what) const {
  file_.refuse(fmt::format("the index is damaged: {}", what), std::string(kWholeIndex), {});
}

void Segment::check_sections() const {
  const std::uint64_t n = head_.n_records;
  const bool has_vectors = layout_.dimension > 0;
  const bool is_int8 = has_vectors && layout_.storage == Storage::int8;
  struct Size {
    SectionKind kind;
    std::uint64_t bytes;
  };
  const Size sizes[] = {
      {SectionKind::vectors, n * layout_.row_bytes()},
      {SectionKind::scales, is_int8 ? n * sizeof(float) : 0},
      {SectionKind::exact, is_int8 ? n * layout_.dimension * sizeof(float) : 0},
      {SectionKind::exact_hashes, is_int8 ? n * sizeof(std::uint32_t) : 0},
      {SectionKind::norms, has_vectors && layout_.metric == Metric::l2 ? n * sizeof(float) : 0},
      {SectionKind::offsets, (n + 1) * sizeof(std::uint64_t)},
      {SectionKind::keys, n * sizeof(KeyEntry)},
      {SectionKind::lengths, n * sizeof(std::uint32_t)},
  };
  const std::uint64_t end = file_.bytes().size();
  for (const Section& section : head_.sections) {
    if (section.at % kAlignment != 0 || section.at > end || section.bytes > end - section.at) {
      damaged("a section lies outside the file");
    }
  }
  for (const Size& size : sizes) {
    if (bytes_of(size.kind).size() != size.bytes) damaged("a section has another size");
  }
  if (bytes_of(SectionKind::terms).size() % sizeof(TermEntry) != 0 ||
      bytes_of(SectionKind::tombstones).size() % sizeof(std::uint64_t) != 0) {
    damaged("a section has another size");
  }
}

std::span<const std::byte> Segment::bytes_of(SectionKind kind) const {
  const Section& section = head_.sections[static_cast<std::size_t>(kind)];
  return file_.bytes().subspan(section.at, section.bytes);
}

std::span<const std::byte> Segment::checked(SectionKind kind) const {
  const std::span<const std::byte> bytes = bytes_of(kind);
  bool& is_checked = is_checked_[static_cast<std::size_t>(kind)];
  const bool has_own = kind == SectionKind::records || kind == SectionKind::exact;
  if (is_checked || has_own) return bytes;
  if (hash64(bytes) != head_.sections[static_cast<std::size_t>(kind)].hash) {
    damaged(fmt::format("section {} of a segment", static_cast<int>(kind)));
  }
  is_checked = true;
  return bytes;
}

RecordView Segment::record(std::uint64_t i) const {
  HEARTH_CHECK(i < n_records());
  const auto offsets = section<std::uint64_t>(SectionKind::offsets);
  const std::span<const std::byte> all = bytes_of(SectionKind::records);
  if (offsets[i] > offsets[i + 1] || offsets[i + 1] > all.size()) damaged("the place of a record");
  RecordView view;
  if (!read_record(all.subspan(offsets[i], offsets[i + 1] - offsets[i]), view)) {
    damaged(fmt::format("record {}", head_.first_record + i));
  }
  return view;
}

std::vector<float> Segment::vector(std::uint64_t i) const {
  HEARTH_CHECK(i < n_records());
  const std::size_t d = layout_.dimension;
  std::vector<float> out(d);
  if (layout_.storage == Storage::f16) {
    const auto rows = section<std::uint16_t>(SectionKind::vectors);
    for (std::size_t j = 0; j < d; ++j) out[j] = kernels::f16_to_f32(rows[i * d + j]);
    return out;
  }
  if (layout_.storage == Storage::f32) {
    const auto row = section<float>(SectionKind::vectors).subspan(i * d, d);
    return {row.begin(), row.end()};
  }
  const auto row = exact(i);
  return {row.begin(), row.end()};
}

std::span<const float> Segment::exact(std::uint64_t i) const {
  const std::size_t d = layout_.dimension;
  const auto row = section<float>(SectionKind::exact).subspan(i * d, d);
  const auto hash = static_cast<std::uint32_t>(hash64(std::as_bytes(row)));
  if (hash != section<std::uint32_t>(SectionKind::exact_hashes)[i]) damaged("a vector");
  return row;
}

std::vector<std::uint64_t> Segment::with_key_hash(std::uint64_t hash) const {
  const auto keys = section<KeyEntry>(SectionKind::keys);
  auto at = std::lower_bound(keys.begin(), keys.end(), hash,
                             [](const KeyEntry& entry, std::uint64_t h) { return entry.hash < h; });
  std::vector<std::uint64_t> records;
  for (; at != keys.end() && at->hash == hash; ++at) {
    if (at->record >= n_records()) damaged("the table of keys");
    records.push_back(at->record);
  }
  return records;
}

std::vector<Segment::Posting> Segment::postings(std::string_view term) const {
  const auto table = section<TermEntry>(SectionKind::terms);
  const auto texts = section<char>(SectionKind::term_texts);
  const auto text_of = [&](const TermEntry& entry) -> std::string_view {
    if (entry.text_at > texts.size() || entry.text_bytes > texts.size() - entry.text_at) {
      damaged("the table of words");
    }
    return {texts.data() + entry.text_at, entry.text_bytes};
  };
  const auto at = std::lower_bound(
      table.begin(), table.end(), term,
      [&](const TermEntry& entry, std::string_view wanted) { return text_of(entry) < wanted; });
  if (at == table.end() || text_of(*at) != term) return {};
  std::span<const std::byte> lists = section<std::byte>(SectionKind::postings);
  if (at->postings_at > lists.size() || at->n_records > n_records()) damaged("the lists of words");
  lists = lists.subspan(at->postings_at);
  std::vector<Posting> found;
  std::uint64_t record = 0;
  for (std::uint32_t i = 0; i < at->n_records; ++i) {
    std::uint64_t gap = 0, count = 0;
    if (!take_varint(lists, gap) || !take_varint(lists, count) || gap >= n_records() ||
        (i > 0 && gap == 0) || record + gap >= n_records() || count > 0xFFFFFFFEu) {
      damaged("a list of records with a word");
    }
    record += gap;
    found.push_back({static_cast<std::uint32_t>(record), static_cast<std::uint32_t>(count + 1)});
  }
  return found;
}

}  // namespace hearth::retrieval

#include "engine/retrieval/folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>

#include "base/error.h"
#include "base/hash64.h"
#include "base/output_file.h"
#include "engine/retrieval/document_files.h"
#include "engine/retrieval/index_builder.h"
#include "engine/retrieval/near_duplicates.h"
#include "engine/retrieval/words.h"

namespace hearth::retrieval {
namespace {

namespace fs = std::filesystem;

/// A word without end may be one unknown token; what is cut is never longer than this for each.
constexpr std::size_t kMostBytesOfToken = 64;

/// Another number when documents are cut, or words are found, in another way: an index that is
/// brought up to date has them all in the newest.
constexpr int kWayOfCutting = 2;

/// Chunks that are embedded together.
constexpr std::size_t kChunksAtOnce = 256;

/// What an index knows of a document.
struct Known {
  std::string hash;
  std::vector<std::string> keys;
};

std::map<std::string, Known> known_documents(const Index& index) {
  std::map<std::string, Known> known;
  for (std::uint64_t number = 0; number < index.n_numbers(); ++number) {
    if (!index.is_live(number)) continue;
    const RecordView record = index.record(number);
    Known& document = known[std::string(record.fact("source"))];
    document.hash = record.fact("hash");
    document.keys.emplace_back(record.key);
  }
  return known;
}

/// A document that goes into the index with all its chunks, in the place of those that it had.
struct Changed {
  std::vector<std::string> old_keys;
  std::vector<Record> chunks;
  std::size_t n_embedded = 0;  // of them
  bool is_cut = false;         // there will be no more of them
};

class FolderWork {
 public:
  FolderWork(Index& index, TextEmbedder* embedder, const FolderOptions& options,
             const ProgressFn& progress)
      : index_(index),
        embedder_(embedder),
        progress_(progress),
        keep_others_(options.keep_others),
        commit_every_(options.commit_every) {
    chunking_.overlap_tokens = options.overlap_tokens;
    chunking_.max_tokens =
        embedder ? std::min(options.max_tokens, embedder->max_tokens()) : options.max_tokens;
    chunking_.count_tokens = [embedder](std::string_view text) {
      const int n = embedder ? embedder->count_tokens(text) : count_words(text);
      return std::max(n, static_cast<int>(text.size() / kMostBytesOfToken));
    };
    known_ = known_documents(index);
  }

  void run(const DocumentFiles& files, bool skip_bad) {
    report_.files = files.found.size();
    report_.links = files.links;
    report_.others = files.others;
    for (const DocumentFile& document : files.found) total_ += document.bytes;
    for (const DocumentFile& document : files.found) {
      show_progress();
      try {
        take(document);
      } catch (const Cancelled&) {
        throw;
      } catch (const Error& error) {
        if (!skip_bad) throw;
        if (!changed_.empty() && !changed_.back().is_cut) changed_.pop_back();
        report_.bad.emplace_back(error.what());
      }
      done_ += document.bytes;
    }
    embed();
    for (const auto& [source, document] : known_) {
      if (keep_others_ || seen_.contains(source) || is_out_of_reach(files, source)) continue;
      ++report_.gone;
      for (const std::string& key : document.keys) index_.remove(key);
    }
    for (const DocumentFiles::Unread& folder : files.unread) report_.bad.push_back(folder.why);
    show_progress();
  }

  /// Makes durable what is done.
  void commit() {
    if (index_.n_pending() > 0) index_.commit();
    committed_ = std::chrono::steady_clock::now();
  }

  FolderReport finish() {
    std::vector<std::string> texts, keys;
    for (std::uint64_t number = 0; number < index_.n_numbers(); ++number) {
      if (!index_.is_live(number)) continue;
      const RecordView record = index_.record(number);
      keys.emplace_back(record.key);
      texts.emplace_back(record.text);
    }
    report_.chunks = texts.size();
    for (const auto& [i, j] : near_duplicates(texts)) {
      report_.near_duplicates.push_back({keys[i], keys[j]});
    }
    return std::move(report_);
  }

 private:
  /// Whether a document lies in a folder that could not be read.
  static bool is_out_of_reach(const DocumentFiles& files, const std::string& source) {
    return std::any_of(
        files.unread.begin(), files.unread.end(),
        [&](const DocumentFiles::Unread& folder) { return source.starts_with(folder.source); });
  }

  void show_progress(double of_document = 0.0, std::uint64_t bytes = 0) const {
    const auto part = static_cast<std::uint64_t>(of_document * static_cast<double>(bytes));
    hearth::report(progress_, std::min(done_ + part, total_), total_);
  }

  void take(const DocumentFile& document) {
    seen_.insert(document.source);
    const std::string text = read_document(document.path);
    Hash64 hash;
    hash.add(text);
    hash.add(
        fmt::format("|{}|{}|{}", chunking_.max_tokens, chunking_.overlap_tokens, kWayOfCutting));
    const std::string stamp = fmt::format("{:016x}", hash.value());
    const auto before = known_.find(document.source);
    if (before != known_.end() && before->second.hash == stamp) {
      ++report_.unchanged;
      return;
    }
    ++(before == known_.end() ? report_.fresh : report_.changed);
    const auto chunks = chunk(parse_document(text, format_of(document.source)), chunking_);
    if (chunks.empty()) report_.without_text.push_back(document.source);
    Changed& changed = changed_.emplace_back();
    if (before != known_.end()) changed.old_keys = before->second.keys;
    for (std::size_t i = 0; i < chunks.size(); ++i) {
      changed.chunks.push_back({.key = fmt::format("{}#{}", document.source, i + 1),
                                .text = chunks[i].text,
                                .facts = {{"source", document.source},
                                          {"heading", chunks[i].heading},
                                          {"line", fmt::format("{}", chunks[i].line)},
                                          {"hash", stamp}}});
      if (n_waiting() < kChunksAtOnce) continue;
      embed();
      show_progress(static_cast<double>(i + 1) / static_cast<double>(chunks.size()),
                    document.bytes);
    }
    changed.is_cut = true;
    report_.chunks_made += chunks.size();
  }

  std::size_t n_waiting() const {
    std::size_t n = 0;
    for (const Changed& changed : changed_) n += changed.chunks.size() - changed.n_embedded;
    return n;
  }

  /// Gives the waiting chunks their vectors, and puts documents into the index that have all.
  void embed() {
    std::vector<Record*> waiting;
    std::vector<std::string> texts;
    for (Changed& changed : changed_) {
      for (std::size_t i = changed.n_embedded; i < changed.chunks.size(); ++i) {
        waiting.push_back(&changed.chunks[i]);
        texts.push_back(changed.chunks[i].text);
      }
    }
    if (embedder_ && !waiting.empty()) {
      const ProgressFn may_go_on = [this](std::uint64_t, std::uint64_t) {
        return !progress_ || progress_(done_, total_);
      };
      std::vector<EmbeddedText> embedded = embedder_->embed_documents(texts, may_go_on);
      for (std::size_t i = 0; i < waiting.size(); ++i) {
        report_.truncated += embedded[i].is_truncated();
        report_.tokens += static_cast<std::uint64_t>(embedded[i].n_tokens);
        report_.unknown_tokens += static_cast<std::uint64_t>(embedded[i].n_unknown);
        waiting[i]->vector = std::move(embedded[i].vector);
      }
    }
    for (Changed& changed : changed_) changed.n_embedded = changed.chunks.size();
    put_whole_documents();
  }

  void put_whole_documents() {
    for (; !changed_.empty() && changed_.front().is_cut; changed_.pop_front()) {
      for (const std::string& key : changed_.front().old_keys) index_.remove(key);
      for (Record& record : changed_.front().chunks) index_.put(std::move(record));
    }
    if (std::chrono::steady_clock::now() - committed_ >= commit_every_) commit();
  }

  Index& index_;
  TextEmbedder* embedder_;
  const ProgressFn& progress_;
  bool keep_others_;
  std::chrono::seconds commit_every_;
  std::chrono::steady_clock::time_point committed_ = std::chrono::steady_clock::now();
  std::uint64_t done_ = 0, total_ = 0;  // bytes of documents
  ChunkOptions chunking_;
  std::map<std::string, Known> known_;
  std::set<std::string> seen_;
  std::deque<Changed> changed_;  // not yet in the index
  FolderReport report_;
};

IndexSettings settings_for(TextEmbedder* embedder, const FolderOptions& options) {
  IndexSettings settings;
  settings.layout.storage = options.storage;
  if (embedder) {
    settings.layout.dimension = embedder->dimension();
    settings.embedder = embedder->fingerprint();
  }
  return settings;
}

FolderReport bring_up_to_date(Index& index, const DocumentFiles& files, TextEmbedder* embedder,
                              const FolderOptions& options, const ProgressFn& progress) {
  index.check_embedder(embedder ? embedder->fingerprint() : std::string());
  const bool was_damaged = index.is_fallback();
  FolderWork work(index, embedder, options, progress);
  try {
    work.run(files, options.skip_bad);
  } catch (const Cancelled&) {
    work.commit();
    throw;
  }
  index.commit();
  FolderReport report = work.finish();
  report.was_damaged = was_damaged;
  return report;
}

/// Opens the new index beside `path`: what a run that was stopped has left there, if it was to be
/// such an index, else an empty one.
std::unique_ptr<Index> open_beside(const fs::path& path, const IndexSettings& settings) {
  const fs::path beside = place_beside(path);
  if (fs::exists(beside)) {
    try {
      auto left = std::make_unique<Index>(beside, Access::write);
      if (left->settings() == settings) return left;
    } catch (const Error&) {  // NOLINT: whatever it is, create_beside() has to do with it
    }
  }
  return std::make_unique<Index>(create_beside(path, settings), Access::write);
}

/// Compacts the index if it wants that. Why it could not be done, if it could not: the index is up
/// to date without it.
std::string compaction_problem(Index& index) {
  try {
    if (index.wants_compaction()) index.compact();
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

}  // namespace

FolderReport index_folder(const fs::path& path, const fs::path& root, TextEmbedder* embedder,
                          const FolderOptions& options, const ProgressFn& progress) {
  const DocumentFiles files = find_documents(root, path);
  if (!files.unread.empty() && !options.skip_bad) throw Error(files.unread.front().why);
  if (files.found.empty()) {
    throw Error({.where = root.string(),
                 .what = "there is nothing to index",
                 .expected = "files that end in .md, .txt or .html",
                 .got = "none"});
  }
  if (fs::exists(path)) {
    Index index(path, Access::write);
    FolderReport report = bring_up_to_date(index, files, embedder, options, progress);
    report.not_compacted = compaction_problem(index);
    return report;
  }
  // Nobody sees a new index before it is whole.
  const std::unique_ptr<Index> index = open_beside(path, settings_for(embedder, options));
  try {
    FolderReport report = bring_up_to_date(*index, files, embedder, options, progress);
    index->move_to(link_target(path));
    report.not_compacted = compaction_problem(*index);
    return report;
  } catch (...) {
    std::error_code ignored;
    if (index->size() == 0) fs::remove(place_beside(path), ignored);
    throw;
  }
}

}  // namespace hearth::retrieval

#include "engine/runtime/embedder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/hash64.h"
#include "tokenizer/vocab_gguf.h"

namespace hearth {
namespace {

/// Keys "ARCH.embedding.…".
const gguf::Value* find_key(const gguf::Reader& file, std::string_view name) {
  const std::string_view arch = file.at("general.architecture").as_string();
  return file.find(fmt::format("{}.embedding.{}", arch, name));
}

std::string text_of(const gguf::Reader& file, std::string_view name) {
  const gguf::Value* value = find_key(file, name);
  return value ? std::string(value->as_string()) : std::string();
}

int tokens_at_most(const gguf::Reader& file, const EmbedderOptions& options,
                   const HParams& hparams) {
  constexpr int kDecoderTokens = 4096;  // their keys and values stay in memory, layer by layer
  int most = hparams.causal ? std::min(hparams.n_ctx_train, kDecoderTokens) : hparams.n_ctx_train;
  if (const gguf::Value* value = find_key(file, "max_tokens")) {
    most = static_cast<int>(std::clamp<std::int64_t>(value->as_int(), 1, most));
  }
  if (options.max_tokens == 0) return most;
  if (options.max_tokens >= 3 && options.max_tokens <= hparams.n_ctx_train) {
    return options.max_tokens;
  }
  throw Error(Error::Parts{.where = file.name(),
                           .what = "cannot look at so many tokens of a text",
                           .expected = fmt::format("3 to {}", hparams.n_ctx_train),
                           .got = fmt::format("{}", options.max_tokens)});
}

Pooling chosen_pooling(const gguf::Reader& file, const EmbedderOptions& options,
                       const HParams& hparams) {
  if (options.pooling) return *options.pooling;
  if (hparams.pooling != Pooling::none) return hparams.pooling;
  throw Error(Error::Parts{
      .where = file.name(),
      .what = "does not say how the vectors of its tokens become one vector of the text",
      .expected = "an embedding model, or a pooling chosen with --pooling",
      .got = fmt::format("a model of the family {}", file.at("general.architecture").as_string())});
}

void divide_by_length(std::span<float> values) {
  double square = 0.0;
  for (const float v : values) square += static_cast<double>(v) * static_cast<double>(v);
  if (square == 0.0) return;
  const double factor = 1.0 / std::sqrt(square);
  for (float& v : values) v = static_cast<float>(static_cast<double>(v) * factor);
}

}  // namespace

/// A text on its way through the model.
struct Embedder::Piece {
  std::vector<TokenId> tokens;  // those that are looked at
  std::size_t text;             // its number
};

Embedder::Embedder(const gguf::Reader& file, EmbedderOptions options) : file_(&file) {
  const HParams hparams = read_hparams(file, family_of(file));
  max_tokens_ = tokens_at_most(file, options, hparams);
  pooling_ = chosen_pooling(file, options, hparams);
  const gguf::Value* normalize = find_key(file, "normalize");
  normalize_ = options.normalize.value_or(!normalize || normalize->as_bool());
  const auto prefix = [&](TextRole role, const std::optional<std::string>& wish, const char* key) {
    prefixes_[static_cast<std::size_t>(role)] = wish ? *wish : text_of(file, key);
  };
  prefix(TextRole::query, options.query_prefix, "query_prefix");
  prefix(TextRole::document, options.document_prefix, "document_prefix");
  tokenizer_ = Tokenizer::create(vocab_from_gguf(file));

  constexpr int kMostPositions = 16384;  // of all slots: long texts are fewer at once
  options.load.n_ctx = max_tokens_;
  options.load.n_ubatch = std::max(options.n_batch_tokens, max_tokens_);
  options.load.n_slots = std::clamp(kMostPositions / max_tokens_, 1, options.n_batch_texts);
  options.load.kv_type = QuantType::F32;
  bundle_ = load_model(file, options.load);
}

std::vector<TokenId> Embedder::tokens(std::string_view text, TextRole role) const {
  const std::string& prefix = prefixes_[static_cast<std::size_t>(role)];
  if (prefix.empty()) return tokenizer_->encode(text);
  return tokenizer_->encode(prefix + std::string(text));
}

std::vector<Embedding> Embedder::embed(std::span<const std::string> texts, TextRole role,
                                       const ProgressFn& progress) {
  std::vector<Embedding> out(texts.size());
  std::vector<Piece> pieces;
  std::size_t n_tokens = 0;
  const auto room = static_cast<std::size_t>(bundle_.context->n_ubatch());
  const auto slots = static_cast<std::size_t>(bundle_.context->n_slots());
  const auto flush = [&] {
    if (!pieces.empty()) run(pieces, out);
    pieces.clear();
    n_tokens = 0;
  };
  const Vocab& vocab = tokenizer_->vocab();
  for (std::size_t i = 0; i < texts.size(); ++i) {
    report(progress, i, texts.size());
    std::vector<TokenId> ids = tokens(texts[i], role);
    if (ids.empty() && vocab.eos != kNoToken) ids.push_back(vocab.eos);
    if (ids.empty()) {
      throw Error(Error::Parts{.where = fmt::format("text {}", i + 1),
                               .what = "has no tokens, so that there is nothing to embed",
                               .expected = "some text",
                               .got = fmt::format("{} bytes", texts[i].size())});
    }
    Embedding& e = out[i];
    e.n_tokens = static_cast<int>(ids.size());
    e.n_unknown = static_cast<int>(std::count(ids.begin(), ids.end(), vocab.unk));
    if (e.n_tokens > max_tokens_) {
      const TokenId last = ids.back();
      ids.resize(static_cast<std::size_t>(max_tokens_));
      if (vocab.add_sep || vocab.add_eos) ids.back() = last;
    }
    e.n_kept = static_cast<int>(ids.size());
    if (n_tokens + ids.size() > room || pieces.size() == slots) flush();
    n_tokens += ids.size();
    pieces.push_back({std::move(ids), i});
  }
  flush();
  report(progress, texts.size(), texts.size());
  return out;
}

void Embedder::run(std::span<const Piece> pieces, std::span<Embedding> out) {
  std::vector<Context::Input> inputs;
  for (const Piece& piece : pieces) {
    inputs.push_back({static_cast<int>(inputs.size()), piece.tokens});
  }
  std::span<const float> hidden = bundle_.context->hidden_batch(inputs);
  const auto width = static_cast<std::size_t>(n_embd());
  for (const Piece& piece : pieces) {
    const std::size_t n = piece.tokens.size() * width;
    out[piece.text].values = pooled(hidden.first(n));
    hidden = hidden.subspan(n);
  }
}

std::vector<float> Embedder::pooled(std::span<const float> rows) const {
  const auto width = static_cast<std::size_t>(n_embd());
  std::vector<float> values(rows.begin(), rows.end());
  if (pooling_ == Pooling::cls) values.resize(width);
  if (pooling_ == Pooling::last) values.erase(values.begin(), values.end() - n_embd());
  if (pooling_ == Pooling::mean) {
    std::vector<double> sum(width);
    for (std::size_t first = 0; first < rows.size(); first += width) {
      for (std::size_t j = 0; j < width; ++j) sum[j] += static_cast<double>(rows[first + j]);
    }
    values.resize(width);
    for (std::size_t j = 0; j < width; ++j) {
      values[j] = static_cast<float>(sum[j] / static_cast<double>(rows.size() / width));
    }
  }
  if (!normalize_) return values;
  for (std::size_t first = 0; first < values.size(); first += width) {
    divide_by_length(std::span(values).subspan(first, width));
  }
  return values;
}

std::string Embedder::fingerprint() const {
  Hash64 hash;
  for (const gguf::Entry& entry : file_->metadata()) {
    const bool is_for_people =
        entry.key.starts_with("general.") && entry.key != "general.architecture";
    if (is_for_people) continue;
    hash.add(entry.key);
    hash.add(entry.value.bytes());
  }
  for (const gguf::Tensor& tensor : file_->tensors()) {
    hash.add(tensor.name);
    hash.add(std::as_bytes(std::span(tensor.dims)));
    hash.add(tensor.data);
  }
  for (const std::string& prefix : prefixes_) hash.add(fmt::format("{}:{}", prefix.size(), prefix));
  return fmt::format("{}-{}-{}{}-{}-{:016x}", file_->at("general.architecture").as_string(),
                     n_embd(), pooling_name(pooling_), normalize_ ? "" : "-raw", max_tokens_,
                     hash.value());
}

std::string_view pooling_name(Pooling pooling) {
  switch (pooling) {
    case Pooling::none:
      return "none";
    case Pooling::mean:
      return "mean";
    case Pooling::cls:
      return "cls";
    case Pooling::last:
      return "last";
  }
  return "";
}

}  // namespace hearth

#include "engine/runtime/context.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"

namespace hearth {
namespace {

constexpr int kHeadRows = Forward::kHeadRows;

}  // namespace

Context::Context(const Model& model, int n_ctx, int n_ubatch)
    : model_(model), forward_(model, n_ctx, n_ubatch) {
  const auto rows = static_cast<std::size_t>(std::min(kHeadRows, forward_.n_ubatch()));
  logits_.resize(rows * static_cast<std::size_t>(n_vocab()));
}

void Context::check(std::span<const std::int32_t> tokens) const {
  for (const std::int32_t token : tokens) {
    if (token >= 0 && token < n_vocab()) continue;
    throw Error(Error::Parts{.where = "tokens",
                             .what = "a token id is outside the model's vocabulary",
                             .expected = fmt::format("0 to {}", n_vocab() - 1),
                             .got = fmt::format("{}", token)});
  }
  const auto room = static_cast<std::size_t>(n_ctx() - n_past_);
  if (!tokens.empty() && tokens.size() <= room) return;
  if (tokens.empty()) throw Error("there are no tokens to evaluate");
  throw Error(Error::Parts{
      .where = "context",
      .what = fmt::format("{} more tokens do not fit after {}; a larger context (-c) has room",
                          tokens.size(), n_past_),
      .expected = fmt::format("at most {} in all", n_ctx()),
      .got = fmt::format("{}", static_cast<std::size_t>(n_past_) + tokens.size())});
}

void Context::truncate(int n) {
  HEARTH_CHECK(n >= 0 && n <= n_past_);
  n_past_ = n;
}

std::span<const float> Context::eval(std::span<const std::int32_t> tokens,
                                     const ProgressFn& progress) {
  check(tokens);
  const std::span<float> logits(logits_.data(), static_cast<std::size_t>(n_vocab()));
  const auto ubatch = static_cast<std::size_t>(forward_.n_ubatch());
  for (std::size_t done = 0; done < tokens.size();) {
    report(progress, done, tokens.size());
    const std::size_t n = std::min(ubatch, tokens.size() - done);
    const Tensor hidden = forward_.run(tokens.subspan(done, n), n_past_, true);
    done += n;
    if (done == tokens.size()) forward_.logits(logits, hidden);
    n_past_ += static_cast<int>(n);
  }
  report(progress, tokens.size(), tokens.size());
  return logits;
}

void Context::eval_all(std::span<const std::int32_t> tokens, const LogitsSink& sink,
                       const ProgressFn& progress) {
  check(tokens);
  const auto ubatch = static_cast<std::size_t>(forward_.n_ubatch());
  const auto width = static_cast<std::size_t>(n_vocab());
  for (std::size_t done = 0; done < tokens.size();) {
    report(progress, done, tokens.size());
    const std::size_t n = std::min(ubatch, tokens.size() - done);
    const Tensor hidden = forward_.run(tokens.subspan(done, n), n_past_, false);
    for (int first = 0; first < hidden.rows; first += kHeadRows) {
      const int rows = std::min(kHeadRows, hidden.rows - first);
      const std::span<float> part(logits_.data(), static_cast<std::size_t>(rows) * width);
      forward_.logits(part, hidden.row_range(first, rows));
      for (std::size_t i = 0; i < static_cast<std::size_t>(rows); ++i) {
        sink(part.subspan(i * width, width));
      }
    }
    n_past_ += static_cast<int>(n);
    done += n;
  }
  report(progress, tokens.size(), tokens.size());
}

std::vector<float> Context::embed(std::span<const std::int32_t> tokens,
                                  const ProgressFn& progress) {
  truncate(0);
  check(tokens);
  const HParams& h = model_.hparams;
  const auto ubatch = static_cast<std::size_t>(forward_.n_ubatch());
  if (!h.causal && tokens.size() > ubatch) {
    throw Error(Error::Parts{.where = "embedding",
                             .what = "an encoder takes its text in one micro-batch (--ubatch)",
                             .expected = fmt::format("at most {} tokens", ubatch),
                             .got = fmt::format("{}", tokens.size())});
  }
  const auto width = static_cast<std::size_t>(h.n_embd);
  std::vector<double> sum(width);
  std::vector<float> rows;
  for (std::size_t done = 0; done < tokens.size();) {
    report(progress, done, tokens.size());
    const std::size_t n = std::min(ubatch, tokens.size() - done);
    forward_.hidden(rows, forward_.run(tokens.subspan(done, n), n_past_, false));
    for (std::size_t t = 0; t < n; ++t) {
      const bool is_first = done + t == 0;
      const bool is_last = done + t + 1 == tokens.size();
      if (h.pooling == Pooling::cls && !is_first) continue;
      if ((h.pooling == Pooling::last || h.pooling == Pooling::none) && !is_last) continue;
      for (std::size_t j = 0; j < width; ++j) sum[j] += static_cast<double>(rows[t * width + j]);
    }
    n_past_ += static_cast<int>(n);
    done += n;
  }
  report(progress, tokens.size(), tokens.size());
  const double count = h.pooling == Pooling::mean ? static_cast<double>(tokens.size()) : 1.0;
  std::vector<float> pooled(width);
  for (std::size_t j = 0; j < width; ++j) pooled[j] = static_cast<float>(sum[j] / count);
  return pooled;
}

}  // namespace hearth

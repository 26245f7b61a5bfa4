#include "engine/runtime/context.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "engine/runtime/sampler.h"

namespace hearth {
namespace {

constexpr int kHeadRows = Forward::kHeadRows;

}  // namespace

Context::Context(const Model& model, int n_ctx, int n_ubatch, int n_slots)
    : model_(&model),
      forward_(std::make_unique<Forward>(model, n_ctx, n_ubatch, n_slots)),
      n_past_(static_cast<std::size_t>(n_slots)),
      history_(static_cast<std::size_t>(n_slots)) {
  const auto rows = static_cast<std::size_t>(std::min(kHeadRows, forward_->n_ubatch()));
  logits_.resize(rows * static_cast<std::size_t>(n_vocab()));
}

void Context::check(int slot, std::span<const std::int32_t> tokens) const {
  for (const std::int32_t token : tokens) {
    if (token >= 0 && token < n_vocab()) continue;
    throw Error(Error::Parts{.where = "tokens",
                             .what = "a token id is outside the model's vocabulary",
                             .expected = fmt::format("0 to {}", n_vocab() - 1),
                             .got = fmt::format("{}", token)});
  }
  const auto room = static_cast<std::size_t>(n_ctx() - n_past(slot));
  if (!tokens.empty() && tokens.size() <= room) return;
  if (tokens.empty()) throw Error("there are no tokens to evaluate");
  throw Error(Error::Parts{
      .where = "context",
      .what = fmt::format("{} more tokens do not fit after {}; a larger context (-c) has room",
                          tokens.size(), n_past(slot)),
      .expected = fmt::format("at most {} in all", n_ctx()),
      .got = fmt::format("{}", static_cast<std::size_t>(n_past(slot)) + tokens.size())});
}

int Context::truncate(int slot, int n) {
  HEARTH_CHECK(n >= 0 && n <= n_past(slot));
  past(slot) = forward_->can_go_on(slot, n) ? n : 0;
  history_[static_cast<std::size_t>(slot)].resize(static_cast<std::size_t>(past(slot)));
  return past(slot);
}

/// What was in the caches of a slot, from its tokens.
void Context::compute_again(int slot) {
  const std::span<const std::int32_t> tokens = history_[static_cast<std::size_t>(slot)];
  const auto ubatch = static_cast<std::size_t>(n_ubatch());
  for (std::size_t done = 0; done < tokens.size(); done += ubatch) {
    const std::size_t n = std::min(ubatch, tokens.size() - done);
    const StepRun run = {slot, static_cast<int>(done), static_cast<int>(n)};
    forward_->run(tokens.subspan(done, n), Step(std::span(&run, 1)), true);
  }
}

void Context::remember(int slot, std::span<const std::int32_t> tokens) {
  std::vector<std::int32_t>& history = history_[static_cast<std::size_t>(slot)];
  history.insert(history.end(), tokens.begin(), tokens.end());
}

/// Does some work of a step; once more on another device when the first one is lost.
template <class Work>
void Context::on_device(const Work& work) {
  try {
    work();
    return;
  } catch (const DeviceLost& lost) {
    if (!rebuild_) throw;
    recover(lost.what());
  }
  work();
}

/// Takes the model elsewhere and computes again what was in the caches.
void Context::recover(const std::string& what_happened) {
  refuge_ = std::exchange(rebuild_, {});  // it may own what it gives
  model_ = &refuge_(what_happened);
  forward_ = std::make_unique<Forward>(*model_, n_ctx(), n_ubatch(), n_slots());
  for (int slot = 0; slot < n_slots(); ++slot) compute_again(slot);
}

/// Appends to the sequence in slot 0, and lets `finish` have the hidden state of the last token.
template <class Finish>
void Context::feed(std::span<const std::int32_t> tokens, const ProgressFn& progress,
                   const Finish& finish) {
  check(0, tokens);
  const auto ubatch = static_cast<std::size_t>(forward_->n_ubatch());
  for (std::size_t done = 0; done < tokens.size();) {
    report(progress, done, tokens.size());
    const std::size_t n = std::min(ubatch, tokens.size() - done);
    const std::span<const std::int32_t> part = tokens.subspan(done, n);
    done += n;
    on_device([&] {
      const Tensor hidden = forward_->run(part, n_past(), true);
      if (done == tokens.size()) finish(hidden);
    });
    remember(0, part);
    past(0) += static_cast<int>(n);
  }
  report(progress, tokens.size(), tokens.size());
}

std::span<const float> Context::eval(std::span<const std::int32_t> tokens,
                                     const ProgressFn& progress) {
  feed(tokens, progress, [&](Tensor hidden) { forward_->logits(one_row(), hidden); });
  return one_row();
}

std::int32_t Context::eval_likeliest(std::span<const std::int32_t> tokens,
                                     const ProgressFn& progress) {
  std::int32_t best = 0;
  feed(tokens, progress, [&](Tensor hidden) {
    best = forward_->likeliest(hidden).front();
    if (best < 0) forward_->logits(one_row(), hidden);
  });
  if (best < 0) check_logits(one_row());  // says what is wrong with them
  HEARTH_CHECK(best >= 0);
  return best;
}

void Context::eval_all(std::span<const std::int32_t> tokens, const LogitsSink& sink,
                       const ProgressFn& progress) {
  check(0, tokens);
  const auto ubatch = static_cast<std::size_t>(forward_->n_ubatch());
  const auto width = static_cast<std::size_t>(n_vocab());
  for (std::size_t done = 0; done < tokens.size();) {
    report(progress, done, tokens.size());
    const std::size_t n = std::min(ubatch, tokens.size() - done);
    const std::span<const std::int32_t> part = tokens.subspan(done, n);
    int first = 0;  // row whose logits are not given yet
    on_device([&] {
      const Tensor hidden = forward_->run(part, n_past(), false);
      while (first < hidden.rows) {
        const int rows = std::min(kHeadRows, hidden.rows - first);
        const std::span<float> some(logits_.data(), static_cast<std::size_t>(rows) * width);
        forward_->logits(some, hidden.row_range(first, rows));
        first += rows;
        for (std::size_t i = 0; i < static_cast<std::size_t>(rows); ++i) {
          sink(some.subspan(i * width, width));
        }
      }
    });
    remember(0, part);
    past(0) += static_cast<int>(n);
    done += n;
  }
  report(progress, tokens.size(), tokens.size());
}

/// Appends to several sequences, in as few passes as n_ubatch allows. `finish` gets the hidden
/// states of the last tokens, [at most kHeadRows][n_embd] at a time, and which input is the first
/// of them.
template <class Finish>
void Context::feed_batch(std::span<const Input> inputs, const Finish& finish) {
  for (const Input& input : inputs) check(input.slot, input.tokens);
  std::size_t n_finished = 0;  // inputs
  std::size_t done = 0;        // tokens of the one after them
  while (n_finished < inputs.size()) {
    const std::size_t first = n_finished;
    std::vector<StepRun> runs;
    std::vector<std::int32_t> tokens;
    auto room = static_cast<std::size_t>(forward_->n_ubatch());
    while (room > 0 && n_finished < inputs.size()) {
      const Input& input = inputs[n_finished];
      const std::span<const std::int32_t> part =
          input.tokens.subspan(done, std::min(room, input.tokens.size() - done));
      runs.push_back({input.slot, n_past(input.slot), static_cast<int>(part.size())});
      tokens.insert(tokens.end(), part.begin(), part.end());
      past(input.slot) += static_cast<int>(part.size());
      room -= part.size();
      done += part.size();
      if (done < input.tokens.size()) break;
      done = 0;
      ++n_finished;
    }
    on_device([&] {
      const Tensor hidden = forward_->run(tokens, Step(runs), true);
      for (std::size_t i = first; i < n_finished; i += kHeadRows) {
        const std::size_t rows = std::min<std::size_t>(kHeadRows, n_finished - i);
        finish(i, hidden.row_range(static_cast<int>(i - first), static_cast<int>(rows)));
      }
    });
    std::span<const std::int32_t> rest = tokens;
    for (const StepRun& run : runs) {
      const auto n = static_cast<std::size_t>(run.n_tokens);
      remember(run.slot, rest.first(n));
      rest = rest.subspan(n);
    }
  }
}

std::span<const float> Context::eval_batch(std::span<const Input> inputs) {
  const auto width = static_cast<std::size_t>(n_vocab());
  if (logits_.size() < inputs.size() * width) logits_.resize(inputs.size() * width);
  feed_batch(inputs, [&](std::size_t first, Tensor hidden) {
    const auto rows = static_cast<std::size_t>(hidden.rows);
    forward_->logits(std::span(logits_).subspan(first * width, rows * width), hidden);
  });
  return std::span(logits_).first(inputs.size() * width);
}

std::vector<std::int32_t> Context::eval_batch_likeliest(std::span<const Input> inputs) {
  std::vector<std::int32_t> best(inputs.size());
  bool is_broken = false;
  feed_batch(inputs, [&](std::size_t first, Tensor hidden) {
    const std::vector<std::int32_t> some = forward_->likeliest(hidden);
    std::copy(some.begin(), some.end(), best.begin() + static_cast<std::ptrdiff_t>(first));
    const auto wrong = std::find_if(some.begin(), some.end(), [](int id) { return id < 0; });
    if (wrong == some.end() || is_broken) return;
    is_broken = true;
    forward_->logits(one_row(), hidden.row_range(static_cast<int>(wrong - some.begin()), 1));
  });
  if (is_broken) check_logits(one_row());  // says what is wrong with them
  HEARTH_CHECK(!is_broken);
  return best;
}

std::span<const float> Context::hidden_batch(std::span<const Input> inputs) {
  std::vector<StepRun> runs;
  std::vector<std::int32_t> tokens;
  for (const Input& input : inputs) {
    truncate(input.slot, 0);
    check(input.slot, input.tokens);
    runs.push_back({.slot = input.slot, .n_tokens = static_cast<int>(input.tokens.size())});
    tokens.insert(tokens.end(), input.tokens.begin(), input.tokens.end());
  }
  HEARTH_CHECK(tokens.size() <= static_cast<std::size_t>(n_ubatch()));
  on_device([&] { forward_->hidden(hidden_, forward_->run(tokens, Step(runs), false)); });
  for (const Input& input : inputs) {
    remember(input.slot, input.tokens);
    past(input.slot) = static_cast<int>(input.tokens.size());
  }
  return hidden_;
}

void Context::pretend(int slot, int n) {
  HEARTH_CHECK(n >= 0 && n <= n_ctx());
  truncate(slot, 0);
  rebuild_ = {};  // such a past cannot be computed again
  while (past(slot) < n) {
    const int rows = std::min(forward_->n_ubatch(), n - past(slot));
    const StepRun run = {slot, past(slot), rows};
    forward_->store_random(Step(std::span(&run, 1)));
    past(slot) += rows;
  }
  history_[static_cast<std::size_t>(slot)].resize(static_cast<std::size_t>(n));
}

std::vector<float> Context::embed(std::span<const std::int32_t> tokens,
                                  const ProgressFn& progress) {
  truncate(0);
  check(0, tokens);
  const HParams& h = model_->hparams;
  const auto ubatch = static_cast<std::size_t>(forward_->n_ubatch());
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
    const std::span<const std::int32_t> part = tokens.subspan(done, n);
    on_device([&] { forward_->hidden(rows, forward_->run(part, n_past(), false)); });
    remember(0, part);
    for (std::size_t t = 0; t < n; ++t) {
      const bool is_first = done + t == 0;
      const bool is_last = done + t + 1 == tokens.size();
      if (h.pooling == Pooling::cls && !is_first) continue;
      if ((h.pooling == Pooling::last || h.pooling == Pooling::none) && !is_last) continue;
      for (std::size_t j = 0; j < width; ++j) sum[j] += static_cast<double>(rows[t * width + j]);
    }
    past(0) += static_cast<int>(n);
    done += n;
  }
  report(progress, tokens.size(), tokens.size());
  const double count = h.pooling == Pooling::mean ? static_cast<double>(tokens.size()) : 1.0;
  std::vector<float> pooled(width);
  for (std::size_t j = 0; j < width; ++j) pooled[j] = static_cast<float>(sum[j] / count);
  return pooled;
}

}  // namespace hearth

#include "engine/runtime/perplexity.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "base/stable_math.h"
#include "engine/runtime/sampler.h"

namespace hearth {
namespace {

[[noreturn]] void refuse(std::string where, std::string what, std::string expected,
                         std::string got) {
  throw Error(Error::Parts{.where = std::move(where),
                           .what = std::move(what),
                           .expected = std::move(expected),
                           .got = std::move(got)});
}

/// Mean and variance in one pass: Welford 1962, "Note on a method for calculating corrected sums".
class Sample {
 public:
  void add(double x) {
    ++n_;
    const double before = x - mean_;
    mean_ += before / static_cast<double>(n_);
    squares_ += before * (x - mean_);
    largest_ = n_ == 1 ? x : std::max(largest_, x);
  }

  std::size_t size() const { return n_; }
  double largest() const { return largest_; }

  Mean mean() const {
    if (n_ < 2) return {mean_, 0};
    const auto n = static_cast<double>(n_);
    return {mean_, std::sqrt(squares_ / (n - 1) / n)};
  }

 private:
  std::size_t n_ = 0;
  double mean_ = 0, squares_ = 0, largest_ = 0;
};

Perplexity perplexity_of(const Sample& nll) {
  return {.tokens = nll.size(), .negative_log_likelihood = nll.mean()};
}

/// The tokens that are fed for a window, and which logits score which token: the logits after
/// inputs[i] are about targets[i]; those before `first_scored` are not asked for.
struct Feed {
  std::vector<TokenId> inputs, targets;
  std::size_t first_scored;
};

Feed feed_of(const TextWindow& window, const TextRun& run) {
  Feed feed{.inputs = {}, .targets = {}, .first_scored = 0};
  const auto text = run.tokens.subspan(window.begin, window.end - window.begin);
  const bool with_bos = run.bos != kNoToken;
  if (with_bos) feed.inputs.push_back(run.bos);
  // The last token is only predicted, not fed.
  feed.inputs.insert(feed.inputs.end(), text.begin(), text.end() - 1);
  feed.targets.assign(text.begin() + (with_bos ? 0 : 1), text.end());
  feed.first_scored = window.scored - window.begin - (with_bos ? 0 : 1);
  return feed;
}

std::size_t total_tokens(std::span<const TextWindow> windows) {
  std::size_t total = 0;
  for (const TextWindow& window : windows) total += window.end - window.begin;
  return total;
}

struct Pair {
  Sample kl, base_nll, model_nll;
  std::size_t same_top = 0;

  void add(std::span<const float> base, std::span<const float> model, TokenId target);
};

void Pair::add(std::span<const float> base, std::span<const float> model, TokenId target) {
  check_logits(base);
  check_logits(model);
  const double base_total = log_sum_exp(base), model_total = log_sum_exp(model);
  double sum = 0;
  for (std::size_t i = 0; i < base.size(); ++i) {
    const double log_p = base[i] - base_total;
    const double p = stable_exp(log_p);
    if (p > 0) sum += p * (log_p - (model[i] - model_total));
  }
  kl.add(std::max(sum, 0.0));  // rounding may leave -1e-17
  const auto at = static_cast<std::size_t>(target);
  base_nll.add(base_total - base[at]);
  model_nll.add(model_total - model[at]);
  const auto top = [](std::span<const float> logits) {
    return std::max_element(logits.begin(), logits.end()) - logits.begin();
  };
  same_top += top(base) == top(model);
}

}  // namespace

double Perplexity::value() const {
  return std::exp(negative_log_likelihood.value);
}

double Perplexity::error() const {
  return value() * negative_log_likelihood.error;
}

std::vector<TextWindow> text_windows(std::size_t n_tokens, int n_ctx, int stride, bool with_bos) {
  if (n_ctx < 1) refuse("context", "value out of range", "at least 1 token", std::to_string(n_ctx));
  const int size = with_bos ? n_ctx : n_ctx + 1;
  const int longest_stride = with_bos ? size : size - 1;
  if (stride == 0) stride = std::max(1, size / 2);
  if (stride < 1 || stride > longest_stride) {
    refuse("stride", "value out of range", fmt::format("1 to {} tokens", longest_stride),
           std::to_string(stride));
  }
  const std::size_t first = with_bos ? 0 : 1;
  if (n_tokens <= first) {
    refuse("text", "too short to measure", fmt::format("at least {} tokens", first + 1),
           std::to_string(n_tokens));
  }
  std::vector<TextWindow> windows;
  for (std::size_t begin = 0, scored = first; scored < n_tokens;
       begin += static_cast<std::size_t>(stride)) {
    const std::size_t end = std::min(n_tokens, begin + static_cast<std::size_t>(size));
    windows.push_back({begin, end, scored});
    scored = end;
  }
  return windows;
}

Perplexity measure_perplexity(Evaluator& model, const TextRun& run, const ProgressFn& progress) {
  const auto windows =
      text_windows(run.tokens.size(), model.n_ctx(), run.stride, run.bos != kNoToken);
  const std::size_t total = total_tokens(windows);
  Sample nll;
  std::size_t done = 0;
  for (const TextWindow& window : windows) {
    const Feed feed = feed_of(window, run);
    std::size_t i = 0;
    const auto score = [&](std::span<const float> logits) {
      if (i >= feed.first_scored) {
        check_logits(logits);
        nll.add(-log_prob(logits, feed.targets[i]));
      }
      ++i;
    };
    model.truncate(0);
    model.eval_all(feed.inputs, score, [&](std::uint64_t part, std::uint64_t) {
      return !progress || progress(done + part, total);
    });
    done += window.end - window.begin;
  }
  return perplexity_of(nll);
}

Divergence measure_divergence(Evaluator& base, Evaluator& model, const TextRun& run,
                              const ProgressFn& progress) {
  if (base.n_vocab() != model.n_vocab()) {
    refuse("models", "the vocabularies differ, so their predictions cannot be compared",
           fmt::format("{} tokens in both", base.n_vocab()), std::to_string(model.n_vocab()));
  }
  const auto windows = text_windows(run.tokens.size(), std::min(base.n_ctx(), model.n_ctx()),
                                    run.stride, run.bos != kNoToken);
  // The logits of the base wait for the model's, a few tokens at a time: 64 MiB or one token.
  const auto n_vocab = static_cast<std::size_t>(base.n_vocab());
  const std::size_t step = std::clamp<std::size_t>((std::size_t{16} << 20) / n_vocab, 1, 256);
  const std::size_t total = total_tokens(windows);
  std::size_t done = 0;
  Pair pair;
  std::vector<float> waiting;
  for (const TextWindow& window : windows) {
    const Feed feed = feed_of(window, run);
    base.truncate(0);
    model.truncate(0);
    for (std::size_t at = 0; at < feed.inputs.size(); at += step) {
      report(progress, done + at, total);
      const auto part = std::span(feed.inputs).subspan(at, std::min(step, feed.inputs.size() - at));
      waiting.clear();
      base.eval_all(part, [&](std::span<const float> logits) {
        waiting.insert(waiting.end(), logits.begin(), logits.end());
      });
      std::size_t i = 0;
      model.eval_all(part, [&](std::span<const float> logits) {
        const std::size_t row = i++;
        if (at + row < feed.first_scored) return;
        pair.add(std::span(waiting).subspan(row * n_vocab, n_vocab), logits,
                 feed.targets[at + row]);
      });
    }
    done += window.end - window.begin;
  }
  return {.tokens = pair.kl.size(),
          .kl = pair.kl.mean(),
          .largest_kl = pair.kl.largest(),
          .same_top = static_cast<double>(pair.same_top) / static_cast<double>(pair.kl.size()),
          .base = perplexity_of(pair.base_nll),
          .model = perplexity_of(pair.model_nll)};
}

}  // namespace hearth

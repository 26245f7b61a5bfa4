#include "engine/runtime/generate.h"

#include <chrono>
#include <string>
#include <utility>

#include "base/error.h"
#include "engine/runtime/repetition_guard.h"
#include "engine/runtime/stop_strings.h"

namespace hearth {
namespace {

struct ReasonRow {
  FinishReason reason;
  std::string_view name, text;
};

constexpr ReasonRow kReasons[] = {
    {FinishReason::end, "end", "the model is done"},
    {FinishReason::stop, "stop", "a stop string was found"},
    {FinishReason::length, "length", "as many tokens as asked for"},
    {FinishReason::context_full, "context_full", "the context is full"},
    {FinishReason::repetition, "repetition", "the answer had become an endless repetition"},
    {FinishReason::cancelled, "cancelled", "stopped"},
};

const ReasonRow& row(FinishReason reason) {
  for (const ReasonRow& candidate : kReasons) {
    if (candidate.reason == reason) return candidate;
  }
  return kReasons[0];
}

class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

double rate(int tokens, double seconds) {
  return seconds > 0 ? tokens / seconds : 0.0;
}

/// One run of generate().
class Generator {
 public:
  Generator(PromptCache& cache, const Tokenizer& tokenizer, Sampler& sampler,
            const GenerateOptions& options, const GenerateHooks& hooks)
      : cache_(cache),
        tokenizer_(tokenizer),
        sampler_(sampler),
        options_(options),
        hooks_(hooks),
        needs_logits_(options.want_log_probs || !sampler.takes_the_likeliest()),
        decoder_(tokenizer, {.continues_text = options.continues_text}),
        stops_(options.stop) {}

  Generation run(std::span<const TokenId> prompt) {
    result_.finish = answer(prompt);
    if (!stops_.found()) {
      show(stops_.push(decoder_.finish()));
      if (!stops_.found()) show(stops_.finish());
    }
    result_.stats.answer_tokens = static_cast<int>(result_.tokens.size());
    return std::move(result_);
  }

 private:
  bool cancelled() const { return hooks_.cancelled && hooks_.cancelled(); }

  bool at_limit() const {
    return options_.max_tokens >= 0 &&
           static_cast<int>(result_.tokens.size()) >= options_.max_tokens;
  }

  FinishReason answer(std::span<const TokenId> prompt) {
    try {
      prefill(prompt);
    } catch (const Cancelled&) {
      return FinishReason::cancelled;
    }
    const Stopwatch watch;
    FinishReason reason = FinishReason::length;
    while (!at_limit()) {
      if (cancelled()) {
        reason = FinishReason::cancelled;
        break;
      }
      const TokenId id = needs_logits_ ? sampler_.sample(logits_, cache_.tokens()) : likeliest_;
      if (tokenizer_.is_end_of_generation(id)) {
        reason = FinishReason::end;
        break;
      }
      record(id);
      if (ends_with(id, reason)) break;
      if (at_limit()) break;
      append(id);
      ++result_.stats.decoded_tokens;
    }
    result_.stats.decode_seconds = watch.seconds();
    return reason;
  }

  void prefill(std::span<const TokenId> prompt) {
    const Stopwatch watch;
    const auto progress = [this](std::uint64_t done, std::uint64_t total) {
      return !cancelled() && (!hooks_.on_prefill || hooks_.on_prefill(done, total));
    };
    if (needs_logits_) {
      logits_ = cache_.prefill(prompt, progress);
    } else {
      likeliest_ = cache_.prefill_likeliest(prompt, progress);
    }
    result_.stats.prompt_tokens = static_cast<int>(prompt.size());
    result_.stats.reused_tokens = cache_.reused();
    result_.stats.prefill_seconds = watch.seconds();
  }

  void append(TokenId id) {
    if (needs_logits_) {
      logits_ = cache_.append(id);
    } else {
      likeliest_ = cache_.append_likeliest(id);
    }
  }

  void record(TokenId id) {
    GeneratedToken token{.id = id, .log_prob = 0, .top = {}};
    if (options_.want_log_probs) {
      token.log_prob = log_prob(logits_, id);
      token.top = top_log_probs(logits_, static_cast<std::size_t>(options_.top_log_probs));
    }
    result_.tokens.push_back(std::move(token));
    show(stops_.push(decoder_.push(id)));
  }

  /// Whether the answer is over after the token `id`, and why.
  bool ends_with(TokenId id, FinishReason& reason) {
    if (stops_.found()) {
      reason = FinishReason::stop;
    } else if (guard_.push(id) && options_.stop_repetition) {
      reason = FinishReason::repetition;
    } else if (!at_limit() && cache_.is_full()) {
      reason = FinishReason::context_full;
    } else {
      return false;
    }
    return true;
  }

  void show(const std::string& text) {
    if (text.empty()) return;
    result_.text += text;
    if (hooks_.on_text) hooks_.on_text(text);
  }

  PromptCache& cache_;
  const Tokenizer& tokenizer_;
  Sampler& sampler_;
  const GenerateOptions& options_;
  const GenerateHooks& hooks_;
  bool needs_logits_;
  std::span<const float> logits_;  // after the last token, where they are needed
  TokenId likeliest_ = 0;          // else
  StreamDecoder decoder_;
  StopStrings stops_;
  RepetitionGuard guard_;
  Generation result_;
};

void check(const GenerateOptions& options) {
  if (options.max_tokens < -1) {
    throw Error(Error::Parts{.where = "n",
                             .what = "value out of range",
                             .expected = "a count of tokens, or -1 for no limit",
                             .got = std::to_string(options.max_tokens)});
  }
  if (options.top_log_probs < 0) {
    throw Error(Error::Parts{.where = "logprobs",
                             .what = "value out of range",
                             .expected = "a count of tokens",
                             .got = std::to_string(options.top_log_probs)});
  }
}

}  // namespace

std::string_view finish_reason_name(FinishReason reason) {
  return row(reason).name;
}

std::string_view finish_reason_text(FinishReason reason) {
  return row(reason).text;
}

double GenerationStats::prefill_tokens_per_second() const {
  return rate(prompt_tokens - reused_tokens, prefill_seconds);
}

double GenerationStats::decode_tokens_per_second() const {
  return rate(decoded_tokens, decode_seconds);
}

Generation generate(PromptCache& cache, const Tokenizer& tokenizer, Sampler& sampler,
                    std::span<const TokenId> prompt, const GenerateOptions& options,
                    const GenerateHooks& hooks) {
  check(options);
  return Generator(cache, tokenizer, sampler, options, hooks).run(prompt);
}

}  // namespace hearth

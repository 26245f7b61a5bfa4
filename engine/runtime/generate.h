// From a prompt to an answer: prefill, then draw token after token until something ends it.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "engine/runtime/prompt_cache.h"
#include "engine/runtime/sampler.h"
#include "tokenizer/tokenizer.h"

namespace hearth {

enum class FinishReason {
  end,           // the model said that it is done: an end-of-generation token
  stop,          // a stop string
  length,        // as many tokens as were asked for
  context_full,  // no room for another token
  repetition,    // the model says the same thing over and over
  cancelled,     // the user's wish
};

/// "end", "stop", "length", "context_full" …: as it stands in JSON.
std::string_view finish_reason_name(FinishReason reason);

/// In words, for people: "the context is full".
std::string_view finish_reason_text(FinishReason reason);

struct GenerateOptions {
  int max_tokens = -1;                 // -1: no limit but the context
  std::vector<std::string> stop = {};  // stop strings: the answer ends before the first of them
  bool want_log_probs = false;
  int top_log_probs = 0;         // with log-probabilities: this many alternatives per token
  bool continues_text = false;   // the answer goes on in the prompt's text: keep a leading space
  bool stop_repetition = false;  // end an answer that has become an endless loop
};

/// Who watches a generation; every member may be empty.
struct GenerateHooks {
  std::function<void(std::string_view)> on_text = {};  // whole UTF-8 characters, in order
  ProgressFn on_prefill = {};
  std::function<bool()> cancelled = {};  // asked before every token and every micro-batch
};

struct GeneratedToken {
  TokenId id;
  double log_prob;                // 0 unless asked for
  std::vector<TokenLogProb> top;  // empty unless asked for
};

struct GenerationStats {
  int prompt_tokens = 0;  // all of the prompt
  int reused_tokens = 0;  // of these, found in the KV cache
  int answer_tokens = 0;
  int decoded_tokens = 0;  // of these, fed to the model, to ask for the one after
  double prefill_seconds = 0;
  double decode_seconds = 0;

  double prefill_tokens_per_second() const;
  double decode_tokens_per_second() const;
};

struct Generation {
  std::string text;                    // as given to on_text
  std::vector<GeneratedToken> tokens;  // without an end-of-generation token
  FinishReason finish = FinishReason::end;
  GenerationStats stats;
};

/// Extends `prompt`, which is not empty. Throws Error when the prompt does not fit or the options
/// make no sense. Being cancelled is not an error: what was said by then is the result.
Generation generate(PromptCache& cache, const Tokenizer& tokenizer, Sampler& sampler,
                    std::span<const TokenId> prompt, const GenerateOptions& options,
                    const GenerateHooks& hooks);

}  // namespace hearth

#include "engine/runtime/evaluator.h"

#include <algorithm>

#include "engine/runtime/sampler.h"

namespace hearth {

std::int32_t Evaluator::eval_likeliest(std::span<const std::int32_t> tokens,
                                       const ProgressFn& progress) {
  const std::span<const float> logits = eval(tokens, progress);
  check_logits(logits);
  return static_cast<std::int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

}  // namespace hearth

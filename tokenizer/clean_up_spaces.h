// The "clean_up_tokenization_spaces" of Hugging Face: prose without the space that word tokenizers
// leave in front of punctuation. It harms code ("x != y" loses a space), so nothing here does it
// unasked.
#pragma once

#include <string>

namespace hearth {

/// In this order: no space before ? ! . and , then " ' " becomes "'", then no space before 'm 's
/// 've 're.
std::string clean_up_spaces(std::string text);

}  // namespace hearth

// The -m option that every command with a model has, and how its file is opened.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "gguf/reader.h"

namespace hearth::cli {

class Command;
class Option;

/// Adds -m/--model to `command`; `path` stays empty when the user does not give it.
Option add_model_option(Command& command, std::string& path);

/// What to call the model at `path` in messages: the path, or "built-in model".
std::string model_name(const std::string& path);

/// The bytes of the built-in model. Throws Error in a build without one.
std::span<const std::byte> builtin_bytes();

/// Opens the GGUF file at `path`, or the built-in model if `path` is empty. Throws Error.
gguf::Reader open_model(const std::string& path);

}  // namespace hearth::cli

// How `hearth inspect` prints: aligned text for people, JSON for machines.
#pragma once

#include <cstdio>
#include <string>

#include "gguf/check.h"
#include "gguf/reader.h"
#include "tools/cli/inspection.h"

namespace hearth::cli {

/// Which parts are wanted, and of lists which entries.
struct InspectView {
  bool summary = true;
  bool metadata = true;
  bool tensors = true;
  bool full = false;    // whole arrays and strings
  std::string pattern;  // of keys and tensor names (name_matches); empty: all
};

void print_text(std::FILE* out, const gguf::Reader& reader, const InspectView& view);
void print_json(std::FILE* out, const gguf::Reader& reader, const InspectView& view);

/// The ops that the model runs for one token, in order; in text, layers that are alike once.
void print_graph(std::FILE* out, const gguf::Reader& reader, bool as_json);

/// One value as it is: strings without quotes or escapes, an array one element per line.
void print_value(std::FILE* out, const gguf::Value& value);

void print_check_text(std::FILE* out, const std::string& name, const gguf::CheckReport& report);
void print_check_json(std::FILE* out, const std::string& name, const gguf::CheckReport& report);

}  // namespace hearth::cli

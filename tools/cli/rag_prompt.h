// What a model is asked when it answers from documents: the question and the pieces of text that
// were found, through a template.
#pragma once

#include <span>
#include <string>

#include "tokenizer/jinja/template.h"
#include "tools/cli/retrieve.h"

namespace hearth::cli {

class Command;

struct GroundingOptions {
  std::string template_file;  // empty: the built-in one
  double threshold = 0.35;    // of Hits::confidence
};

/// Adds --rag-template and --threshold.
void add_grounding_options(Command& command, GroundingOptions& options);

/// What is said when nothing that was found is above the threshold.
inline constexpr const char* kNotInDocuments = "This is not in the documents.";

/// Throws Error if the threshold is none.
void check_grounding(const GroundingOptions& options);

class RagPrompt {
 public:
  /// Throws Error when the file cannot be read, is no template, or does not speak of `question` and
  /// `sources`.
  explicit RagPrompt(const std::string& template_file);

  /// The template's variables: question; sources, a list of {number, source, heading, line, text,
  /// score}, numbers from 1.
  std::string render(const std::string& question, std::span<const Hit> sources) const;

 private:
  jinja::Template template_;
};

/// "[1] guide.md, Shipping > Abroad (0.0328)", a line per source.
std::string source_lines(std::span<const Hit> sources);

}  // namespace hearth::cli

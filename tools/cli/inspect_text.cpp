#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "gguf/keys.h"
#include "gguf/violation.h"
#include "tools/cli/inspect_output.h"
#include "tools/cli/units.h"

namespace hearth::cli {
namespace {

constexpr std::size_t kShownElements = 6;
constexpr std::size_t kShownBytes = 72;
constexpr std::size_t kElementBytes = 24;
constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max();
constexpr std::size_t kWidestColumn = 64;

/// Rows of cells, printed with each column as wide as its widest cell. The last one is not padded.
class Table {
 public:
  enum class Align { left, right };

  explicit Table(std::vector<Align> columns) : columns_(std::move(columns)) {}

  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }

  void print(std::FILE* out) const {
    std::vector<std::size_t> widths(columns_.size(), 0);
    for (const auto& cells : rows_) {
      for (std::size_t c = 0; c < cells.size(); ++c)
        widths[c] = std::max(widths[c], std::min(cells[c].size(), kWidestColumn));
    }
    for (const auto& cells : rows_) {
      std::string line;
      for (std::size_t c = 0; c < cells.size(); ++c) {
        const bool last = c + 1 == cells.size();
        if (columns_[c] == Align::right) {
          line += fmt::format("  {:>{}}", cells[c], widths[c]);
        } else {
          line +=
              last ? fmt::format("  {}", cells[c]) : fmt::format("  {:<{}}", cells[c], widths[c]);
        }
      }
      fmt::print(out, "{}\n", line);
    }
  }

 private:
  std::vector<Align> columns_;
  std::vector<std::vector<std::string>> rows_;
};

constexpr auto kLeft = Table::Align::left;
constexpr auto kRight = Table::Align::right;

// What the architecture's own keys say of the model's shape; absent ones are left out.
std::string shape_line(const gguf::Reader& reader, const std::string& arch) {
  struct Part {
    const char* suffix;
    const char* label;
  };
  constexpr Part kParts[] = {
      {"block_count", "layers"},
      {"embedding_length", "embedding"},
      {"feed_forward_length", "feed-forward"},
      {"attention.head_count", "heads"},
      {"attention.head_count_kv", "KV heads"},
      {"expert_count", "experts"},
      {"context_length", "context"},
  };
  std::string line;
  for (const Part& part : kParts) {
    const gguf::Value* value = reader.find(gguf::arch_key(arch, part.suffix));
    if (!value || (!value->is_array() && value->as_float() == 0)) continue;
    line += fmt::format("{}{} {}", line.empty() ? "" : ", ", part.label,
                        value_text(*value, kShownElements, kElementBytes));
  }
  return line;
}

std::string vocabulary_line(const VocabularySummary& vocabulary) {
  const std::string kind = vocabulary.kind.empty() ? "not usable" : vocabulary.kind;
  std::string line = fmt::format("{} ({}", kind, gguf::quoted(vocabulary.model));
  if (!vocabulary.pre.empty()) line += fmt::format(", pre {}", gguf::quoted(vocabulary.pre));
  line += fmt::format("), {} tokens", vocabulary.tokens);
  if (vocabulary.merges > 0) line += fmt::format(", {} merges", vocabulary.merges);
  if (!vocabulary.problem.empty()) line += "; " + gguf::printable(vocabulary.problem, kAll);
  return line;
}

std::string end_line(const std::vector<SpecialToken>& tokens) {
  std::string line;
  for (const SpecialToken& token : tokens)
    line += fmt::format("{}{} {}", line.empty() ? "" : ", ", token.id, gguf::quoted(token.text));
  return line.empty() ? "no token" : line;
}

void print_summary(std::FILE* out, const gguf::Reader& reader) {
  const Inspection inspection = inspect(reader);
  Table table({kLeft, kLeft});
  const std::string parts =
      reader.n_parts() > 1 ? fmt::format(" in {} files", reader.n_parts()) : std::string();
  table.add({"file", fmt::format("{}, {}{}, GGUF version {}, alignment {}", reader.name(),
                                 bytes_text(reader.file_bytes()), parts, reader.version(),
                                 reader.alignment())});
  if (!inspection.architecture.empty())
    table.add({"architecture", gguf::printable(inspection.architecture) +
                                   (inspection.supported ? "" : ", which Hearth cannot run")});
  if (!inspection.name.empty()) table.add({"name", gguf::printable(inspection.name)});
  if (inspection.parameters > 0) {
    table.add({"parameters",
               fmt::format("{} ({})", count_text(inspection.parameters), inspection.parameters)});
    const std::string mix = inspection.mix.empty() ? "" : ", mix " + inspection.mix;
    table.add({"weights", fmt::format("{}, {:.2f} bits each{}", bytes_text(inspection.tensor_bytes),
                                      inspection.bits_per_weight, mix)});
  } else {
    table.add({"weights", "none"});
  }
  for (const TypeTotal& total : inspection.types) {
    const QuantTypeInfo& type = quant_type_info(total.type);
    table.add({"", fmt::format("{:<7} {:>10} in {} tensor{}{}", type.name, bytes_text(total.bytes),
                               total.tensors, total.tensors == 1 ? "" : "s",
                               type.is_weight ? "" : ", no type that Hearth can compute with")});
  }
  const std::string shape = shape_line(reader, inspection.architecture);
  if (!shape.empty()) table.add({"shape", shape});
  if (inspection.vocabulary) {
    table.add({"vocabulary", vocabulary_line(*inspection.vocabulary)});
    if (!inspection.vocabulary->kind.empty())
      table.add({"ends with", end_line(inspection.vocabulary->end_of_generation)});
  }
  table.add({"chat template", inspection.template_bytes > 0
                                  ? fmt::format("{} bytes", inspection.template_bytes)
                                  : "none"});
  table.print(out);
}

std::string type_text(const gguf::Value& value) {
  if (!value.is_array()) return gguf::type_name(value.type());
  return fmt::format("{}[{}]", gguf::type_name(value.element_type()), value.count());
}

void print_metadata(std::FILE* out, const gguf::Reader& reader, const InspectView& view) {
  Table table({kLeft, kLeft, kLeft});
  for (const gguf::Entry& entry : reader.metadata()) {
    if (!name_matches(entry.key, view.pattern)) continue;
    const std::size_t elements = view.full ? kAll : kShownElements;
    const std::size_t bytes = view.full                ? kAll
                              : entry.value.is_array() ? kElementBytes
                                                       : kShownBytes;
    table.add({gguf::printable(entry.key, kAll), type_text(entry.value),
               value_text(entry.value, elements, bytes)});
  }
  table.print(out);
}

void print_tensors(std::FILE* out, const gguf::Reader& reader, const InspectView& view) {
  Table table({kLeft, kLeft, kRight, kRight});
  if (!reader.tensors().empty()) table.add({"name", "type", "shape", "size"});
  for (const gguf::Tensor& tensor : reader.tensors()) {
    if (!name_matches(tensor.name, view.pattern)) continue;
    table.add({gguf::printable(tensor.name, kAll), std::string(quant_type_info(tensor.type).name),
               shape_text(tensor), bytes_text(tensor.data.size())});
  }
  table.print(out);
}

}  // namespace

void print_text(std::FILE* out, const gguf::Reader& reader, const InspectView& view) {
  if (view.summary) print_summary(out, reader);
  if (view.metadata) {
    fmt::print(out, "{}metadata ({} keys)\n", view.summary ? "\n" : "", reader.metadata().size());
    print_metadata(out, reader, view);
  }
  if (view.tensors) {
    fmt::print(out, "{}tensors ({}; shapes slowest dimension first)\n",
               view.summary || view.metadata ? "\n" : "", reader.tensors().size());
    print_tensors(out, reader, view);
  }
}

void print_value(std::FILE* out, const gguf::Value& value) {
  if (value.is_array()) {
    for (const gguf::Value& element : value.as_values()) print_value(out, element);
  } else if (value.type() == gguf::ValueType::string) {
    fmt::print(out, "{}\n", value.as_string());
  } else {
    fmt::print(out, "{}\n", value_text(value, kAll, kAll));
  }
}

void print_check_text(std::FILE* out, const std::string& name, const gguf::CheckReport& report) {
  if (report.ok()) {
    fmt::print(out, "{}: no violations\n", name);
    return;
  }
  Table table({kRight, kLeft, kLeft});
  std::string file;
  const auto flush = [&] {
    if (!file.empty()) table.print(out);
    table = Table({kRight, kLeft, kLeft});
  };
  for (const gguf::Finding& finding : report.findings) {
    if (finding.file != file) {
      flush();
      file = finding.file;
      fmt::print(out, "{}:\n", file);
      table.add({"offset", "rule", ""});
    }
    std::string text = finding.what;
    if (!finding.expected.empty()) text += "; expected " + finding.expected;
    if (!finding.got.empty()) text += "; got " + finding.got;
    const gguf::RuleInfo& rule = gguf::rule_info(finding.rule);
    table.add({fmt::format("{}", finding.offset), std::string(rule.name),
               rule.harmless ? "(harmless) " + text : text});
  }
  flush();
  if (report.total > report.findings.size())
    fmt::print(out, "… and {} more\n", report.total - report.findings.size());
}

}  // namespace hearth::cli

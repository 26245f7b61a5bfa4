#include "engine/device/trace_device.h"

#include <algorithm>

namespace hearth {

void TraceDevice::after(const OpRecord& record) {
  constexpr std::size_t kShown = 4;
  for (const Tensor& output : record.outputs) {
    const auto n = static_cast<std::size_t>(output.rows) * static_cast<std::size_t>(output.columns);
    std::vector<float> values(n);
    side(0).download(values, view(output, 0));
    double sum = 0.0;
    for (const float value : values) sum += static_cast<double>(value);
    values.resize(std::min(n, kShown));
    listener_({.verb = record.verb,
               .weight = record.weight,
               .output = std::string(output.name),
               .rows = output.rows,
               .columns = output.columns,
               .sum = sum,
               .first = std::move(values)});
  }
  side(0).begin(step());  // the downloads may have ended what was being recorded
}

}  // namespace hearth

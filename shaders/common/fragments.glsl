// Cooperative matrices, here "fragments": a subgroup has one together, and no lane knows which of its elements are its own. Factors
// in half precision, sums in floats, of the sizes that the driver has (engine/device/vulkan/fragments.h).
//
// The extension is NVIDIA's, which compilers know for long; engine/device/vulkan/khr_matrices.h puts the module into the words of
// Khronos's. There a type says what its fragments are used for: here the number of the constant with its rows does.
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_NV_cooperative_matrix : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#extension GL_EXT_spirv_intrinsics : require

layout(constant_id = 2) const int LEFT_ROWS = 16;
layout(constant_id = 3) const int RIGHT_ROWS = 16;
layout(constant_id = 4) const int SUM_ROWS = 16;  // LEFT_ROWS again
layout(constant_id = 5) const int COLUMNS = 16;
#define LEFT_FRAGMENT fcoopmatNV<16, gl_ScopeSubgroup, LEFT_ROWS, RIGHT_ROWS>
#define RIGHT_FRAGMENT fcoopmatNV<16, gl_ScopeSubgroup, RIGHT_ROWS, COLUMNS>
#define SUM_FRAGMENT fcoopmatNV<32, gl_ScopeSubgroup, SUM_ROWS, COLUMNS>

const uint M = uint(LEFT_ROWS);
const uint N = uint(COLUMNS);
const uint K = uint(RIGHT_ROWS);

#define BY_ROWS false
#define BY_COLUMNS true

/// Element by element, which NVIDIA's extension cannot say and Khronos's can.
spirv_instruction(id = 133) SUM_FRAGMENT each_times(SUM_FRAGMENT a, SUM_FRAGMENT b);

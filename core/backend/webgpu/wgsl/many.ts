/**
 * What kernels on many tensors have in common, see many.ts. The table first has, for each workgroup, where the record of its
 * tensor begins; a record is the first workgroup of the tensor, how many work on the tensors before it (in all
 * dispatches), its elements, where it begins in each of the windows, and its own numbers. Numbers: groups, and those of
 * all tensors.
 */

export interface ManyTensors {
  /** What tensors of a set are called: `t.name` is where they begin. */
  readonly roles: readonly string[];
  /** Numbers (f32) that each set has for itself: `t.name`. */
  readonly own?: readonly string[];
  /** Elements that a workgroup takes. */
  readonly stretch: number;
  /** Declares what `statements` call. */
  readonly helpers?: string;
  /** With `t`, `lane`, `order` (the workgroup's number in all dispatches), and `first` to `last`: its elements. */
  readonly statements: string;
}

/** An entry point whose workgroups each take a stretch of one tensor. */
export function onMany({ roles, own = [], stretch, helpers = "", statements }: ManyTensors): string {
  const places = ["first", "before", "count", ...roles];
  const fields = [
    ...places.map((name, i) => [`${name}: u32`, `read_table(at + ${i}u)`] as const),
    ...own.map((name, i) =>
      [`${name}: f32`, `bitcast<f32>(read_table(at + ${places.length + i}u))`] as const
    ),
  ];
  return `${helpers}
struct Tensor {
  ${fields.map(([field]) => `${field},`).join("\n  ")}
}

fn tensor_of(work: u32) -> Tensor {
  let at = read_table(work);
  return Tensor(
    ${fields.map(([, value]) => `${value},`).join("\n    ")}
  );
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let work = group_index(group);
  if (work >= n.groups) { return; }
  let t = tensor_of(work);
  let order = t.before + work - t.first;
  let first = (work - t.first) * ${stretch}u;
  let last = min(first + ${stretch}u, t.count);
  ${statements}
}
`;
}

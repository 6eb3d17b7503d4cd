import { describe, expect, it } from "vitest";
import { createManifestParser, parseManifests } from "./manifest.ts";
import { formatProblem } from "./object.ts";

const policy = (name: string, spec = "{}"): string =>
  `apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: { name: ${name}, namespace: foo }\nspec: ${spec}\n`;

const problemsOf = (text: string): readonly string[] => parseManifests(text, "a.yaml").problems.map(formatProblem);

describe("a file", () => {
  it("holds documents in order, empty ones left out", () => {
    const { resources, isComplete } = parseManifests(
      `---\n# nothing\n---\n${policy("a")}---\n---\n${policy("b")}`,
      "a.yaml",
    );
    expect(resources.map(({ key }) => key)).toEqual(["AuthorizationPolicy/foo/a", "AuthorizationPolicy/foo/b"]);
    expect(resources.map(({ origin }) => origin.locate(""))).toEqual(["a.yaml:4", "a.yaml:10"]);
    expect(isComplete).toBe(true);
  });

  it("may be JSON", () => {
    const text = JSON.stringify(
      { apiVersion: "networking.istio.io/v1", kind: "Gateway", metadata: { name: "g" }, spec: {} },
      null,
      2,
    );
    expect(parseManifests(text, "a.json").resources.map(({ key }) => key)).toEqual(["Gateway/default/g"]);
  });

  it("names objects of other APIs, which are skipped", () => {
    const text = [
      "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\n",
      "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: { name: a }\nspec: { gatewayClassName: x }\n",
      "apiVersion: policy.linkerd.io/v1alpha1\nkind: AuthorizationPolicy\nmetadata: { name: a }\n",
      "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: { name: a }\n",
    ].join("---\n");
    expect(parseManifests(text, "a.yaml")).toEqual({
      resources: [],
      problems: [],
      isComplete: true,
      foreign: [
        "v1 ConfigMap",
        "gateway.networking.k8s.io/v1 Gateway",
        "policy.linkerd.io/v1alpha1 AuthorizationPolicy",
        "networking.istio.io/v1 DestinationRule",
      ],
    });
  });

  it("does not lose an object to a slip in its API group", () => {
    const { resources } = parseManifests(policy("a").replace("security.istio.io", "securty.istio.io"), "a.yaml");
    expect(resources.map(({ kind, key }) => `${kind} ${key}`)).toEqual(["invalid AuthorizationPolicy/foo/a"]);
  });

  it("that holds no Kubernetes object is told of, but complete", () => {
    const { problems, isComplete } = parseManifests("replicas: 1\n", "values.yaml");
    expect(problems).toMatchObject([{ level: "warn", where: "values.yaml:1" }]);
    expect(isComplete).toBe(true);
  });
});

describe("YAML", () => {
  it("is of version 1.2: `yes` is a text, and no boolean", () => {
    const [resource] = parseManifests(
      policy("yes", "{ rules: [{ to: [{ operation: { paths: [no, on] } }] }] }"),
      "",
    ).resources;
    expect(resource).toMatchObject({
      key: "AuthorizationPolicy/foo/yes",
      object: { spec: { rules: [{ to: [{ operation: { paths: ["no", "on"] } }] }] } },
    });
  });

  it("may use anchors and merge keys, as kubectl allows it", () => {
    const spec =
      "\n  rules:\n    - &rule\n      to: [{ operation: { paths: [/a] } }]\n    - <<: *rule\n      when: [{ key: source.ip, values: [x] }]";
    expect(parseManifests(policy("a", spec), "").resources).toMatchObject([
      { kind: "valid", object: { spec: { rules: [{}, { to: [{ operation: { paths: ["/a"] } }], when: [{}] }] } } },
    ]);
  });

  it.each([
    [
      "a key twice",
      policy("a", "\n  action: DENY\n  action: ALLOW"),
      ["a.yaml:6: the same key stands twice in one object"],
    ],
    ["an unknown tag", `${policy("a")}---\nx: !!js/function y\n`, [/^a\.yaml:6: can't be parsed: Unresolved tag/]],
    ["a syntax error", `${policy("a")}---\n${policy("b", "[")}`, [/^a\.yaml:10: can't be parsed/]],
    ["an alias bomb", aliasBomb(), [/^a\.yaml:1: can't be parsed: Excessive alias count/]],
    ["absurd nesting", "[".repeat(50_000), [/^a\.yaml:1: can't be parsed/]],
  ])("with %s is refused, with the line", (_what, text, expected) => {
    expect(problemsOf(text)).toEqual(
      expected.map((problem) => (typeof problem === "string" ? problem : expect.stringMatching(problem))),
    );
    expect(parseManifests(text, "a.yaml").isComplete).toBe(false);
  });

  it("cannot reach a prototype", () => {
    const text = policy("a", "{ selector: { matchLabels: { __proto__: { polluted: yes } } } }");
    const [resource] = parseManifests(text, "a.yaml").resources;
    expect(resource?.kind).toBe("invalid");
    expect({}).not.toHaveProperty("polluted");
  });

  it("object above the limit is refused", () => {
    const text = policy("a", `{ rules: [{ to: [{ operation: { paths: ["${"x".repeat(3 * 1024 * 1024)}"] } }] }] }`);
    expect(parseManifests(text, "a.yaml").resources).toMatchObject([
      { kind: "invalid", object: { errors: [{ path: "", message: "is larger than 3145728 characters" }] } },
    ]);
  });
});

describe("a place", () => {
  const text = `# comment\n---\n${policy(
    "a",
    `
  rules:
    - when:
        - key: a
        - key: b
          "odd.key[0]": c
      to: &to
        - operation:
            paths: [/a,
              /b]
    - to: *to`,
  )}`;
  const { origin } = parseManifests(text, "a.yaml").resources[0] ?? expect.fail("no resource");

  it.each([
    ["", 3],
    ["metadata.name", 5],
    ["spec.rules[0].when[1].key", 10],
    ["spec.rules[0].when[1][odd.key[0]]", 11],
    ["spec.rules[0].when[1].missing", 10],
    ["spec.rules[0].to[0].operation.paths[1]", 15],
    ["spec.rules[1].to[0].operation.paths", 14],
    ["spec.nothing.at.all", 6],
  ])("of %j is line %d", (path, line) => {
    expect(origin.locate(path)).toBe(`a.yaml:${line}`);
  });
});

it("reads only the documents of a file again that changed, and moves the others", () => {
  const parse = createManifestParser("a.yaml");
  const [before] = parse(policy("a")).resources;
  const [, after] = parse(`${policy("new")}---\n${policy("a")}`).resources;
  expect(after?.origin.locate("")).toBe("a.yaml:6");
  expect(after?.object).toEqual(before?.object);
});

function aliasBomb(): string {
  const level = (name: string, of: string): string => `${name}: &${name} [${Array(9).fill(of).join(", ")}]`;
  return [level("a", "x"), level("b", "*a"), level("c", "*b"), level("d", "*c")].join("\n");
}

{{/*
Pieces of CEL. A condition on every entry of a list that may be absent:
dict "of" "source" "fields" (list "ipBlocks") "holds" "v != ''"
*/}}
{{- define "gatehouse.cel.every" -}}
{{- $parts := list -}}
{{- range .fields }}{{ $parts = append $parts (printf "(!has(%s.%s) || %s.%s.all(v, %s))" $.of . $.of . $.holds) }}{{ end -}}
{{- join " && " $parts -}}
{{- end }}

{{/* A field and its negation: ports, notPorts. */}}
{{- define "gatehouse.cel.withNot" -}}
{{- $fields := list -}}
{{- range . }}{{ $fields = append (append $fields .) (printf "not%s" (title .)) }}{{ end -}}
{{- toJson $fields -}}
{{- end }}

{{/* One of the fields has a value: dict "of" "source" "fields" (list ...) */}}
{{- define "gatehouse.cel.hasValue" -}}
{{- $parts := list -}}
{{- range .fields }}{{ $parts = append $parts (printf "(has(%s.%s) && %s.%s.size() > 0)" $.of . $.of .) }}{{ end -}}
{{- join " || " $parts -}}
{{- end }}

{{/* All sources, or all operations: dict "entry" "from" "part" "source" "holds" "..." */}}
{{- define "gatehouse.cel.everyPart" -}}
variables.rules.all(rule, !has(rule.{{ .entry }}) || rule.{{ .entry }}.all(entry, !has(entry.{{ .part }}) || ({{ .holds | replace (printf "%s." .part) (printf "entry.%s." .part) }})))
{{- end }}

{{/* What is refused of an AuthorizationPolicy and of a RequestAuthentication alike. */}}
{{- define "gatehouse.cel.targets" -}}
- expression: >-
    variables.targets.all(ref, (has(ref.group) && ref.group != 'core' ? ref.group : '') + '/' + ref.kind in
    ['gateway.networking.k8s.io/Gateway', 'gateway.networking.k8s.io/GatewayClass', '/Service', 'networking.istio.io/ServiceEntry'])
  message: "spec.targetRefs: a target is a Gateway or GatewayClass (gateway.networking.k8s.io), a Service, or a ServiceEntry (networking.istio.io)"
- expression: variables.targets.size() <= 16
  message: "spec.targetRefs: at most 16 targets"
- expression: variables.targets.all(ref, ref.name != '' && (!has(ref.namespace) || ref.namespace == ''))
  message: "spec.targetRefs: a target needs a name, and is in the namespace of the policy"
- expression: >-
    !has(object.spec) || (has(object.spec.selector) ? 1 : 0) + (has(object.spec.targetRef) ? 1 : 0) + (has(object.spec.targetRefs) ? 1 : 0) <= 1
  message: "spec: only one of targetRefs or selector can be set"
- expression: >-
    variables.labels.all(key, key != '' && !key.contains('*') && !variables.labels[key].contains('*'))
  message: "spec.selector.matchLabels: a label has a name, and there are no wildcards"
{{- end }}

{{- define "gatehouse.cel.targetVariables" -}}
- name: targets
  expression: >-
    (has(object.spec) && has(object.spec.targetRefs) ? object.spec.targetRefs : []) + (has(object.spec) && has(object.spec.targetRef) ? [object.spec.targetRef] : [])
- name: labels
  expression: >-
    has(object.spec) && has(object.spec.selector) && has(object.spec.selector.matchLabels) ? object.spec.selector.matchLabels : {}
- name: dryRun
  expression: >-
    has(object.metadata.annotations) && 'istio.io/dry-run' in object.metadata.annotations ? object.metadata.annotations['istio.io/dry-run'] : ''
{{- end }}

{{/* An object that was there before keeps its errors as long as its spec stays: its finalizers and labels must not be stuck. */}}
{{- define "gatehouse.cel.matchConditions" -}}
- name: spec-is-new
  expression: >-
    request.operation == 'CREATE' || has(object.spec) != has(oldObject.spec) || (has(object.spec) && object.spec != oldObject.spec) ||
    (has(object.metadata.annotations) ? object.metadata.annotations : {}) != (has(oldObject.metadata.annotations) ? oldObject.metadata.annotations : {})
{{- end }}

{{/* Names that the transport, Envoy or Gatehouse give a meaning to; `_` counts as `-`. */}}
{{- define "gatehouse.cel.reserved" -}}
{{ . }}.lowerAscii().replace('_', '-').matches('^(:.*|host|authorization|content-length|transfer-encoding|connection|te|upgrade|trailer|keep-alive|proxy-.*|x-envoy-.*|x-forwarded-.*|x-gatehouse-.*)$')
{{- end }}

{{/* All StringMatches of a route's match: dict "holds" "..." with `match` for the one, "fields", "maps" */}}
{{- define "gatehouse.cel.everyMatch" -}}
{{- $parts := list -}}
{{- range .fields }}{{ $parts = append $parts (printf "(!has(m.%s) || (%s))" . ($.holds | replace "match." (printf "m.%s." .))) }}{{ end -}}
{{- range .maps }}{{ $parts = append $parts (printf "(!has(m.%s) || m.%s.all(k, m.%s[k] == null || (%s)))" . . . ($.holds | replace "match." (printf "m.%s[k]." .))) }}{{ end -}}
variables.http.all(route, !has(route.match) || route.match.all(m, {{ join " && " $parts }}))
{{- end }}

{{/* All operations on headers: dict "holds" "..." with `name` for the header */}}
{{- define "gatehouse.cel.everyOperation" -}}
{{- $parts := list -}}
{{- range $side := list "request" "response" }}
{{- range $field := list "set" "add" "remove" }}
{{- $path := printf "h.%s.%s" $side $field -}}
{{- $parts = append $parts (printf "(!has(h.%s) || !has(%s) || %s.all(name, %s))" $side $path $path $.holds) -}}
{{- end }}
{{- end -}}
variables.headers.all(h, {{ join " && " $parts }})
{{- end }}

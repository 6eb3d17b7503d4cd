{{/* Names are fixed: certificates, flags and the documentation speak of them. */}}
{{- define "gatehouse.labels" -}}
app.kubernetes.io/name: gatehouse
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{/* Of one component: dict "root" $ "component" "controller" */}}
{{- define "gatehouse.componentLabels" -}}
{{ include "gatehouse.labels" .root }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{/* Of pods: without what changes with the chart alone, which would restart them. */}}
{{- define "gatehouse.podLabels" -}}
{{ include "gatehouse.selector" . }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
{{- end }}

{{/* Never changed: a Deployment's selector can't be. */}}
{{- define "gatehouse.selector" -}}
app.kubernetes.io/name: gatehouse
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{/* dict "root" $ "image" .Values.controller.image */}}
{{- define "gatehouse.image" -}}
{{- $repository := .image.repository -}}
{{- with .root.Values.image.registry }}{{ $repository = printf "%s/%s" . $repository }}{{ end -}}
{{- if .image.digest }}{{ printf "%s@%s" $repository .image.digest }}
{{- else }}{{ printf "%s:%s" $repository (.root.Values.image.tag | default .root.Chart.AppVersion) }}
{{- end }}
{{- end }}

{{/* Three quarters of a memory limit, in MiB: the rest is for what lies outside of the heap. */}}
{{- define "gatehouse.heapMiB" -}}
{{- $match := regexFind "^[0-9]+(Ki|Mi|Gi|k|M|G)?$" (toString .) -}}
{{- if not $match }}{{ fail (printf "resources.limits.memory: %q is not a whole number with one of Ki, Mi, Gi, k, M, G" (toString .)) }}{{ end -}}
{{- $number := regexFind "^[0-9]+" $match | int64 -}}
{{- $unit := regexFind "[A-Za-z]+$" $match -}}
{{- $bytes := dict "" 1 "k" 1000 "M" 1000000 "G" 1000000000 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 -}}
{{- div (mul $number (get $bytes $unit) 3) (mul 4 1048576) -}}
{{- end }}

{{- define "gatehouse.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "gatehouse.securityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* Ready is who enforces policy; alive is who answers at all, whatever else is down. */}}
{{- define "gatehouse.probes" -}}
startupProbe:
  httpGet: { path: /healthz, port: admin }
  periodSeconds: 1
  timeoutSeconds: 1
  failureThreshold: 60
readinessProbe:
  httpGet: { path: /readyz, port: admin }
  periodSeconds: 2
  timeoutSeconds: 2
  failureThreshold: 2
livenessProbe:
  httpGet: { path: /healthz, port: admin }
  periodSeconds: 10
  timeoutSeconds: 10
  failureThreshold: 3
{{- end }}

{{/* What the two pods have in common: dict "root" $ "component" "controller" "values" .Values.controller */}}
{{- define "gatehouse.scheduling" -}}
topologySpreadConstraints:
  {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "gatehouse.selector" $ | nindent 8 }}
    matchLabelKeys: [pod-template-hash]
  {{- end }}
{{- with .values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end }}

{{/* The Secret with the client certificate of the authz-servers. Each mode has its own, so that changing the mode replaces nothing. */}}
{{- define "gatehouse.clientSecret" -}}
{{- if eq .Values.xdsTls.mode "certManager" }}gatehouse-authz-server-client{{ else }}gatehouse-authz-server-tls{{ end }}
{{- end }}

{{/* A setting of the policy stream that must be whole: fails early, with a sentence. */}}
{{- define "gatehouse.check" -}}
{{- $stop := add .Values.authzServer.preStopSeconds (div (add .Values.authzServer.drainWaitMs .Values.authzServer.drainDeadlineMs 999) 1000) -}}
{{- if ge (int64 $stop) (int64 .Values.authzServer.terminationGracePeriodSeconds) }}
{{- fail (printf "authzServer: a stop takes up to %d s (preStopSeconds, drainWaitMs, drainDeadlineMs); terminationGracePeriodSeconds must be more" $stop) }}
{{- end }}
{{- if and (eq .Values.checkTls.mode "certManager") (not .Values.checkTls.certManager.issuerRef) }}
{{- fail "checkTls.certManager.issuerRef: name the issuer of the certificate that Envoys are shown" }}
{{- end }}
{{- end }}

{{/* Named one by one: a pod then waits until the Secret has them, instead of seeing an empty folder until the kubelet looks again. */}}
{{- define "gatehouse.certificateItems" -}}
- { key: tls.crt, path: tls.crt }
- { key: tls.key, path: tls.key }
{{- if . }}
- { key: ca.crt, path: ca.crt }
{{- end }}
{{- end }}

{{/* As part of HOST:PORT. */}}
{{- define "gatehouse.listenAddress" -}}
{{- if contains ":" .Values.listenAddress }}[{{ .Values.listenAddress }}]{{ else }}{{ .Values.listenAddress }}{{ end }}
{{- end }}

{{/* One entry of authzServer.listeners as the flag has it: 9101=foo/app=httpbin;gateways=foo/my-gateway */}}
{{- define "gatehouse.listener" -}}
{{- $labels := list -}}
{{- range $name, $value := .labels }}{{ $labels = append $labels (printf "%s=%s" $name $value) }}{{ end -}}
{{- printf "%d=%s/%s" (int .port) .namespace (join "," $labels) -}}
{{- with .gateways }}{{ printf ";gateways=%s" (join "," .) }}{{ end -}}
{{- end }}

{{/* Wherever the cluster's DNS is: some serve it from a link-local address of each node. */}}
{{- define "gatehouse.dnsEgress" -}}
- ports:
    - { port: 53, protocol: UDP }
    - { port: 53, protocol: TCP }
{{- end }}

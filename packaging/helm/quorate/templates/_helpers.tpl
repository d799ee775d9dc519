{{- define "quorate.name" -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end }}
{{- define "quorate.nodes" -}}
{{- include "quorate.name" . }}-nodes
{{- end }}
{{- define "quorate.selector" -}}
app.kubernetes.io/name: quorate
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
{{- define "quorate.labels" -}}
{{ include "quorate.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}
{{- /* The domain below which each node has its name. */ -}}
{{- define "quorate.domain" -}}
{{ include "quorate.nodes" . }}.{{ .Release.Namespace }}.svc.{{ .Values.clusterDomain }}
{{- end }}
{{- /* Where the nodes are that found the cluster. */ -}}
{{- define "quorate.founders" -}}
{{- $name := include "quorate.name" . -}}
{{- $domain := include "quorate.domain" . -}}
{{- $founders := list -}}
{{- range $n := until (min 3 (int .Values.replicas) | int) -}}
{{- $founders = append $founders (printf "%d=%s-%d@%s-%d.%s:7433" (add1 $n) $name $n $name $n $domain) -}}
{{- end -}}
{{- join "," $founders -}}
{{- end }}

//! HTTP: health, metrics, status.

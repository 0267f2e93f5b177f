"""Reads state.json files with a Pydantic model of ClientState as DESIGN 4 states it: these fields, names and values."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

Stage = Literal["LeadGen", "FirstResponder", "Scoping", "Orchestra", "Closer", "Onboarding", "DeliveryPM"]


class StageTransition(BaseModel):
    model_config = ConfigDict(extra="forbid")

    from_stage: Stage | None
    to_stage: Stage
    at: datetime
    by: str
    signal_id: str | None
    summary: str
    data_path: str | None


class ClientState(BaseModel):
    model_config = ConfigDict(extra="forbid")

    lead_id: UUID
    current_stage: Stage
    status: Literal["in_progress", "awaiting_human", "completed", "escalated", "failed"]
    data: dict[str, Any]
    next_action: str
    history: list[StageTransition]
    created_at: datetime
    updated_at: datetime


files = sorted(Path(sys.argv[1]).glob("max-pipeline/*/state.json"))
for file in files:
    state = ClientState.model_validate_json(file.read_bytes())
    assert file.parent.name == str(state.lead_id), file
    assert state.created_at.utcoffset().total_seconds() == 0, file
    assert state.history[0].from_stage is None, file
    assert state.history[-1].to_stage == state.current_stage, file
    assert "lead" in state.data, file
    print(state.lead_id, state.current_stage, state.status, state.data.get("outcome"))
